// Words in the language of the page, from Django's catalogue.

export const say = (text, values = {}) =>
  (globalThis.gettext?.(text) ?? text).replace(/%\((\w+)\)s/g, (whole, name) => (name in values ? String(values[name]) : whole))

export const sayMany = (one, many, count) =>
  (globalThis.ngettext?.(one, many, count) ?? (count === 1 ? one : many)).replace("%(count)s", String(count))

export const KINDS = () => ({
  process: say("Process"),
  datastore: say("Data store"),
  external_entity: say("External entity"),
  trust_boundary: say("Trust boundary"),
  data_flow: say("Data flow"),
  text: say("Text"),
})
