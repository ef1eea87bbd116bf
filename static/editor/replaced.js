// Two people write the same: the later text stands, and says what it has replaced.
import { h } from "./dom.js"
import { kindAndName } from "./panels/did.js"
import { titleOf } from "./panels/names.js"
import { changeSteps } from "./commands/steps.js"
import { say } from "./words.js"

const plain = (text) => String(text ?? "").replace(/\s+/g, "")

/** Whether `theirs` came meanwhile: it is neither what was seen before nor what is written now. */
export const differs = (theirs, before, mine) => plain(theirs) !== plain(before) && plain(theirs) !== plain(mine)

/** Says what of somebody else's was replaced; `take` brings it back. */
export function replaced(editor, what, theirs, take) {
  editor.notice(say("%(what)s: somebody else has changed this meanwhile. Your text is kept; theirs is:", { what }), "warning", {
    more: h("blockquote", { class: "theirs" }, String(theirs ?? "") || say("(empty)")),
    acts: [[say("Keep my text"), () => {}], [say("Take theirs"), take]],
  })
}

/** The same for a property of a cell. */
export function replacedProperty(editor, id, name, theirs) {
  const take = () => {
    const cell = editor.cell(id)
    if (!cell) return
    const { [name]: _, ...rest } = cell.properties
    editor.change(changeSteps(cell, { ...cell, properties: theirs ? { ...rest, [name]: theirs } : rest }), { tell: say("%(what)s changed", { what: kindAndName(cell) }) })
  }
  replaced(editor, `${kindAndName(editor.cell(id))}, ${titleOf(name)}`, theirs, take)
}

/** What an operation of somebody else's wrote where an own one that is on its way writes too: the later stands. */
export function overtaken(pending, operation) {
  const found = []
  for (const { id, operation: kind, data } of operation.cells) {
    for (const [name, theirs] of kind === "update" ? Object.entries(data.properties ?? {}) : []) {
      const mine = pending.flatMap((one) => (one.applied ? one.operation.cells : [])).findLast((step) => step.id === id && step.operation === "update" && name in (step.data.properties ?? {}))
      const texts = mine && [theirs, mine.data.properties[name]].every((value) => value === null || typeof value === "string")
      if (texts && differs(theirs, null, mine.data.properties[name])) found.push({ id, name, theirs })
    }
  }
  return found
}
