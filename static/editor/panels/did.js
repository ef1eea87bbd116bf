// What an operation did, in a few words: "Process “Shop” added", "3 elements changed".
import { labelOf } from "../draw/look.js"
import { KINDS, say, sayMany } from "../words.js"

const LONGEST = 40

/** `told` is an operation of the log, or the message about one. */
export function did(editor, told) {
  const steps = told.operation.cells
  const [first] = steps
  const what = steps.length === 1 ? kindAndName(first.data?.type ? first.data : editor.cell(first.id)) : sayMany("%(count)s element", "%(count)s elements", steps.length)
  const kinds = new Set(steps.map((step) => step.operation))
  const kind = kinds.size === 1 ? first.operation : "update"
  const done = { add: say("%(what)s added", { what }), update: say("%(what)s changed", { what }), remove: say("%(what)s removed", { what }) }[kind]
  if (told.undo_of) return say("Undone: %(told)s", { told: done })
  return told.redo_of ? say("Done again: %(told)s", { told: done }) : done
}

/** "Process “Shop”"; without a cell "Element". */
export function kindAndName(cell) {
  const kind = KINDS()[cell?.type] ?? say("Element")
  const label = cell ? labelOf(cell).trim() : ""
  return label ? `${kind} “${label.length > LONGEST ? `${label.slice(0, LONGEST - 1)}…` : label}”` : kind
}
