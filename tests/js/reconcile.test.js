import assert from "node:assert/strict"
import { test } from "node:test"
import { Rejected, State, add, patch, remove, same, update } from "../../static/editor/state.js"
import { Reconciler } from "../../static/editor/sync/reconcile.js"

const box = (id, x = 0) => ({ id, type: "process", properties: { label: id }, position: { x, y: 0 }, size: { width: 80, height: 40 } })
const said = (number, id, ...cells) => ({ operation_id: id, sequence_number: number, operation: patch(cells) })
const opened = (...cells) => {
  const one = new Reconciler()
  one.reset(cells, 5)
  return one
}
const ids = (done) => [...done.changed].sort()

test("an own operation shows at once and its acknowledgement changes nothing", () => {
  const one = opened(box("a"))
  assert.deepEqual(ids(one.local("o1", [update("a", { position: { x: 10 } })])), ["a"])
  const done = one.remote(said(6, "o1", update("a", { position: { x: 10 } })))
  assert.deepEqual([ids(done), done.acknowledged, one.vector, one.pending.length], [[], true, 6, 0])
  assert.equal(one.state.get("a").position.x, 10)
})

test("what others do goes below what is pending", () => {
  const one = opened(box("a"))
  one.local("o1", [update("a", { position: { x: 10 } })])
  const done = one.remote(said(6, "theirs", update("a", { position: { x: 99, y: 7 } })))
  assert.deepEqual(one.state.get("a").position, { x: 10, y: 7 })
  assert.deepEqual(ids(done), ["a"])
  one.remote(said(7, "o1", update("a", { position: { x: 10 } })))
  assert.deepEqual(one.state.get("a").position, { x: 10, y: 7 })
})

test("a rejection undoes that operation alone", () => {
  const one = opened(box("a"))
  one.local("o1", [update("a", { position: { x: 10 } })])
  one.local("o2", [update("a", { properties: { label: "new" } })])
  const done = one.rejected({ operation_id: "o1", reason: "conflict_detected" })
  assert.deepEqual([one.state.get("a").position.x, one.state.get("a").properties.label], [0, "new"])
  assert.deepEqual([ids(done), done.known, one.pending.length], [["a"], true, 1])
  assert.equal(one.rejected({ operation_id: "o1", reason: "conflict_detected" }).known, false)
})

test("what is to be sent again stays", () => {
  const one = opened(box("a"))
  one.local("o1", [update("a", { position: { x: 10 } })])
  assert.equal(one.rejected({ operation_id: "o1", reason: "unavailable" }).again, true)
  assert.equal(one.state.get("a").position.x, 10)
})

test("a cell that is gone hides the changes of it until they are rejected", () => {
  const one = opened(box("a"), box("b"))
  one.local("o1", [update("a", { position: { x: 10 } })])
  one.local("o2", [update("b", { position: { x: 20 } })])
  one.remote(said(6, "theirs", remove("a")))
  assert.equal(one.state.get("a"), undefined)
  assert.equal(one.state.get("b").position.x, 20)
  assert.deepEqual(one.pending.map((each) => each.operation_id), ["o1", "o2"])
  one.rejected({ operation_id: "o1", reason: "conflict_detected" })
  assert.equal(one.state.get("b").position.x, 20)
})

test("a gap is noticed and what came before is not taken twice", () => {
  const one = opened(box("a"))
  assert.equal(one.remote(said(8, "theirs", add(box("b")))).gap, true)
  assert.equal(one.state.get("b"), undefined)
  assert.equal(one.remote(said(5, "old", add(box("b")))).acknowledged, false)
  assert.equal(one.state.get("b"), undefined)
})

test("an acknowledgement that comes once more after the whole state ends the pending operation", () => {
  const one = opened(box("a"))
  one.local("o1", [add(box("b"))])
  one.reset([box("a"), box("b")], 6)
  assert.equal(one.pending.length, 1)
  const done = one.remote(said(6, "o1", add(box("b"))))
  assert.deepEqual([done.acknowledged, one.pending.length, one.state.cells.size], [true, 0, 2])
})

test("operations of an earlier visit go on top", () => {
  const one = opened(box("a"))
  one.adopt([{ operation_id: "o0", operation: patch([update("a", { position: { x: 3 } })]) }])
  assert.equal(one.state.get("a").position.x, 3)
  one.adopt([{ operation_id: "o0", operation: patch([update("a", { position: { x: 3 } })]) }])
  assert.equal(one.pending.length, 1)
})

test("whoever edits whatever in whatever order, everybody ends with the server's cells", () => {
  let seed = 7
  const random = (most) => (seed = (seed * 1103515245 + 12345) % 2147483648) % most
  for (let round = 0; round < 60; round += 1) {
    const server = new State([box("c0"), box("c1"), box("c2")])
    const log = []
    const clients = [0, 1, 2].map(() => ({ one: opened(...server.listed()), queue: [], read: 0 }))
    for (const { one } of clients) one.vector = 0
    const step = () => {
      const id = `c${random(6)}`
      return [() => add(box(id, random(50))), () => update(id, { position: { x: random(50) } }), () => remove(id),
        () => update(id, { properties: { label: `l${random(9)}` } })][random(4)]()
    }
    const deliver = (client) => {
      const next = client.queue.shift()
      if (!next) return
      try {
        const applied = server.apply(next.operation)
        log.push(said(log.length + 1, next.operation_id, ...applied.steps))
      } catch (error) {
        if (!(error instanceof Rejected)) throw error
        client.one.rejected({ operation_id: next.operation_id, reason: error.reason })
      }
    }
    const hear = (client) => client.read < log.length && client.one.remote(log[client.read++])
    for (let turn = 0; turn < 120; turn += 1) {
      const client = clients[random(3)]
      const what = random(3)
      if (what === 0) {
        const operationId = `${round}-${turn}`
        try {
          client.one.local(operationId, [step(), step()].slice(random(2)))
          client.queue.push(client.one.pending.at(-1))
        } catch (error) {
          if (!(error instanceof Rejected)) throw error
        }
      } else if (what === 1) deliver(client)
      else hear(client)
    }
    // A rejection may overtake operations that were not heard yet here; all is heard in the end.
    for (const client of clients) while (client.queue.length) deliver(client)
    for (const client of clients) {
      while (client.read < log.length) hear(client)
      assert.equal(client.one.pending.length, 0)
      assert.ok(same(Object.fromEntries(client.one.state.cells), Object.fromEntries(server.cells)))
    }
  }
})
