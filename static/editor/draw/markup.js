// A drawing as a tree: {tag, attrs, children}, strings are text. It becomes elements of the page, or a file.

const SVG = "http://www.w3.org/2000/svg"

export const el = (tag, attrs = {}, ...children) => ({ tag, attrs, children })

const present = (attrs) => Object.entries(attrs).filter(([, value]) => value !== undefined && value !== null && value !== false)

/** Elements; text becomes text nodes, never markup. */
export function toDom(tree) {
  if (typeof tree === "string") return document.createTextNode(tree)
  const made = document.createElementNS(SVG, tree.tag)
  for (const [name, value] of present(tree.attrs)) made.setAttribute(name, typeof value === "number" ? number(value) : value)
  for (const child of tree.children) if (child) made.append(toDom(child))
  return made
}

/** The source of a file. */
export function toSource(tree) {
  if (typeof tree === "string") return escaped(tree)
  const attrs = present(tree.attrs).map(([name, value]) => ` ${name}="${escaped(String(typeof value === "number" ? number(value) : value))}"`)
  const inner = tree.children.filter(Boolean).map(toSource).join("")
  return inner ? `<${tree.tag}${attrs.join("")}>${inner}</${tree.tag}>` : `<${tree.tag}${attrs.join("")}/>`
}

/** At most two decimals. */
export const number = (value) => String(Math.round(value * 100) / 100)

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }
// What XML cannot hold is left out.
// eslint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g
const escaped = (text) => text.replace(FORBIDDEN, "").replace(/[&<>"]/g, (character) => ENTITIES[character])
