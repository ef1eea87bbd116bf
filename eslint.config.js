import js from "@eslint/js"
import globals from "globals"

const unused = { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }

export default [
  js.configs.recommended,
  { languageOptions: { ecmaVersion: 2024, sourceType: "module" }, rules: { "no-unused-vars": ["error", unused] } },
  { files: ["static/**/*.js"], languageOptions: { globals: globals.browser } },
  { files: ["tests/js/**/*.js"], languageOptions: { globals: globals.node } },
]
