// Words in the language of the page, from Django's catalogue where the page has it.

export const say = (text, values = {}) =>
  (window.gettext?.(text) ?? text).replace(/%\((\w+)\)s/g, (whole, name) => (name in values ? String(values[name]) : whole))
