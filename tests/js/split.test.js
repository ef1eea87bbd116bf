import assert from "node:assert/strict"
import { test } from "node:test"
import { MOST_BYTES, MOST_CELLS, split } from "../../static/editor/sync/split.js"

const add = (id, more = {}) => ({ id, operation: "add", data: { id, type: "process", properties: { label: "x" }, ...more } })
const move = (id) => ({ id, operation: "update", data: { position: { x: 1 } } })

test("what fits is one operation, in its own order", () => {
  const steps = [move("b"), add("a"), move("c")]
  assert.deepEqual(split(steps), [steps])
})

test("many cells are several operations, none too large, nothing lost", () => {
  const steps = Array.from({ length: 450 }, (_, number) => move(`c${number}`))
  const portions = split(steps)
  assert.deepEqual(portions.map((one) => one.length), [200, 200, 50])
  assert.deepEqual(portions.flat(), steps)
})

test("few cells with much text are several operations", () => {
  const steps = Array.from({ length: 10 }, (_, number) => add(`c${number}`, { properties: { label: "ü".repeat(8_000) } }))
  const portions = split(steps)
  assert.ok(portions.length > 2)
  for (const one of portions) assert.ok(new TextEncoder().encode(JSON.stringify(one)).length <= MOST_BYTES + one.length)
  assert.equal(portions.flat().length, 10)
})

test("a shape comes after what it lies in, a flow after its ends", () => {
  const inner = Array.from({ length: 150 }, (_, number) => add(`in${number}`, { parent: "outer" }))
  const flows = Array.from({ length: 149 }, (_, number) => add(`f${number}`, { type: "data_flow", source: { cell: `in${number}` }, target: { cell: `in${number + 1}` } }))
  const all = split([...flows, ...inner, add("outer", { type: "trust_boundary", parent: "around" }), add("around")]).flat()
  const at = new Map(all.map((step, index) => [step.id, index]))
  for (const step of all) {
    for (const other of [step.data.parent, step.data.source?.cell, step.data.target?.cell].filter(Boolean)) assert.ok(at.get(other) < at.get(step.id))
  }
  assert.ok(MOST_CELLS < all.length)
})

test("shapes that claim to lie in each other end nowhere", () => {
  const steps = Array.from({ length: 201 }, (_, number) => add(`c${number}`, { parent: `c${(number + 1) % 201}` }))
  assert.equal(split(steps).flat().length, 201)
})
