import assert from "node:assert/strict"
import { test } from "node:test"
import { Rejected, State, add, difference, merge, patch, remove, same, update, wellFormed } from "../../static/editor/state.js"

const box = (id, more = {}) => ({
  id, type: "process", properties: { label: id }, position: { x: 0, y: 0 }, size: { width: 80, height: 40 }, ...more,
})
const flow = (id, source, target) => ({
  id, type: "data_flow", properties: {}, source: { cell: source }, target: { cell: target },
})

test("merge takes away what is null and leaves the target alone", () => {
  const target = { a: 1, b: { c: 2, d: [1] } }
  assert.deepEqual(merge(target, { a: null, b: { c: 3, d: [2, 3] } }), { b: { c: 3, d: [2, 3] } })
  assert.deepEqual(target, { a: 1, b: { c: 2, d: [1] } })
  assert.deepEqual(merge({ a: 1 }, { a: { b: null, c: 1 } }), { a: { c: 1 } })
})

test("a key that is called __proto__ is a key", () => {
  const odd = JSON.parse('{"__proto__": {"x": 1}}')
  const merged = merge({}, odd)
  assert.ok(Object.hasOwn(merged, "__proto__"))
  assert.equal(merged.x, undefined)
  assert.equal(JSON.stringify(difference({}, odd)), '{"__proto__":{"x":1}}')
})

test("difference is what merge needs, and nothing else", () => {
  const old = { a: 1, b: { c: 1, d: 2 }, e: [1], f: 1 }
  const wanted = { a: 1, b: { c: 1, d: 3 }, e: [1, 2], g: true }
  const found = difference(old, wanted)
  assert.deepEqual(found, { f: null, b: { d: 3 }, e: [1, 2], g: true })
  assert.deepEqual(merge(old, found), wanted)
})

test("true is not 1, and the order of keys is nothing", () => {
  assert.ok(!same({ a: true }, { a: 1 }))
  assert.ok(same({ a: 1, b: [{ c: 2, d: 3 }] }, { b: [{ d: 3, c: 2 }], a: 1 }))
  assert.ok(!same({ a: undefined }, { b: 1 }))
})

test("removing a cell removes its flows and frees its children", () => {
  const state = new State([box("a"), box("b", { parent: "a" }), box("c"), flow("f", "a", "c"), flow("g", "c", "b")])
  const applied = state.apply(patch([remove("a")]))
  assert.deepEqual([...state.cells.keys()].sort(), ["b", "c", "g"])
  assert.equal(state.get("b").parent, undefined)
  assert.deepEqual(applied.steps.map((step) => [step.id, step.operation]), [["f", "remove"], ["b", "update"], ["a", "remove"]])
  state.takeBack(applied)
  assert.deepEqual([...state.cells.keys()].sort(), ["a", "b", "c", "f", "g"])
  assert.deepEqual(state.attached("a"), ["f"])
  assert.deepEqual(state.children("a"), ["b"])
})

test("an operation is carried out as a whole or not at all", () => {
  const state = new State([box("a")])
  const before = state.listed()
  assert.throws(
    () => state.apply(patch([update("a", { position: { x: 9 } }), add(box("b")), update("gone", { z: 1 })])),
    (error) => error instanceof Rejected && error.reason === "conflict_detected",
  )
  assert.deepEqual(state.listed(), before)
  assert.throws(() => state.apply(patch([update("a", { position: { x: 0 } })])), { reason: "no_state_change" })
})

test("half a character, as it is left by cutting one in two, is not sent", () => {
  const steps = [update("a", { properties: { label: "x\ud83d", "\\ud800": "\\ud800", fine: "😀" } })]
  assert.deepEqual(wellFormed(steps), [update("a", { properties: { label: "x\ufffd", "\\ud800": "\\ud800", fine: "😀" } })])
  const sound = [update("a", { properties: { label: "😀" }, parent: undefined })]
  assert.equal(wellFormed(sound), sound)
})
