import assert from "node:assert/strict"
import { test } from "node:test"
import { compared } from "../../static/editor/panels/compare.js"

const cells = (...all) => new Map(all.map((cell) => [cell.id, cell]))
const box = (id, more = {}) => ({ id, type: "process", properties: { label: id }, position: { x: 0, y: 0 }, ...more })

test("what was added, changed and removed between two moments is told with what changed of it", () => {
  const before = cells(box("a"), box("b"), box("c"))
  const after = cells(box("a"), box("b", { position: { x: 9, y: 0 }, properties: { label: "B", is_encrypted: true } }), box("d"))
  const found = Object.fromEntries(compared(before, after).map(({ id, what, fields }) => [id, [what, fields.sort()]]))
  assert.deepEqual(found, { b: ["changed", ["is_encrypted", "label", "position"]], c: ["removed", []], d: ["added", []] })
})

test("between the other two it is the other way round, and nothing is different between equal ones", () => {
  const [one, other] = [cells(box("a")), cells(box("b"))]
  assert.deepEqual(compared(one, other).map(({ id, what }) => [id, what]), [["b", "added"], ["a", "removed"]])
  assert.deepEqual(compared(other, one).map(({ id, what }) => [id, what]), [["a", "added"], ["b", "removed"]])
  assert.deepEqual(compared(one, cells(box("a"))), [])
})
