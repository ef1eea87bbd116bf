import assert from "node:assert/strict"
import { test } from "node:test"
import { patch, update } from "../../static/editor/state.js"
import { Kept } from "../../static/editor/sync/kept.js"
import { Reconciler } from "../../static/editor/sync/reconcile.js"
import { Connection } from "../../static/editor/sync/socket.js"

const box = (id, x = 0) => ({ id, type: "process", properties: {}, position: { x, y: 0 }, size: { width: 80, height: 40 } })

function stage() {
  const sockets = []
  const waiting = []
  const reconciler = new Reconciler()
  const make = (url) => {
    const socket = { url, readyState: 1, sent: [], send: (text) => socket.sent.push(JSON.parse(text)) }
    sockets.push(socket)
    return socket
  }
  const connection = new Connection("/ws", reconciler, { make, wait: (ms, act) => waiting.push(act) })
  const hear = (message) => sockets.at(-1).onmessage({ data: JSON.stringify(message) })
  const drop = (code = 1006) => sockets.at(-1).onclose({ code })
  const tick = () => waiting.splice(0).forEach((act) => act())
  connection.open()
  return { connection, reconciler, sockets, hear, drop, tick }
}
const state = { message_type: "diagram_state", cells: [box("a")], update_vector: 3 }
const sent = (socket, kind) => socket.sent.filter((one) => one.message_type === kind)

test("what was made while away is sent on return, under the same id, and only what was missed is asked for", () => {
  const { connection, reconciler, sockets, hear, drop, tick } = stage()
  hear(state)
  reconciler.local("o1", [update("a", { position: { x: 5 } })])
  connection.flush()
  drop()
  assert.equal(connection.status, "offline")
  reconciler.local("o2", [update("a", { position: { x: 6 } })])
  connection.flush()
  tick()
  assert.equal(sockets.length, 2)
  assert.equal(sockets[1].url, "/ws?since=3")
  assert.equal(sockets[1].sent.length, 0)
  hear({ message_type: "sync_status", update_vector: 3 })
  assert.deepEqual(sent(sockets[1], "diagram_operation").map((one) => one.operation_id), ["o1", "o2"])
})

test("a gap is asked for", () => {
  const { sockets, hear } = stage()
  hear(state)
  hear({ message_type: "diagram_operation", operation_id: "x", sequence_number: 6, operation: patch([]) })
  assert.deepEqual(sent(sockets[0], "sync_request"), [{ message_type: "sync_request", update_vector: 3 }])
})

test("an operation is sent once while the connection stands, and again when the server asks", () => {
  const { connection, reconciler, sockets, hear, tick } = stage()
  hear(state)
  reconciler.local("o1", [update("a", { position: { x: 5 } })])
  connection.flush()
  connection.flush()
  assert.equal(sent(sockets[0], "diagram_operation").length, 1)
  hear({ message_type: "operation_rejected", operation_id: "o1", reason: "rate_limited", retry_after_ms: 50 })
  tick()
  assert.equal(sent(sockets[0], "diagram_operation").length, 2)
})

const moves = (reconciler, from, to) => {
  for (let n = from; n <= to; n += 1) reconciler.local(`o${n}`, [update("a", { position: { x: n } })])
}
const ids = (socket) => sent(socket, "diagram_operation").map((one) => one.operation_id)

test("so many are on their way at once, and an answer lets the next one go", () => {
  const { connection, reconciler, sockets, hear } = stage()
  hear(state)
  moves(reconciler, 1, 60)
  connection.flush()
  assert.equal(ids(sockets[0]).length, 50)
  hear({ message_type: "diagram_operation", operation_id: "o1", sequence_number: 4, operation: patch([update("a", { position: { x: 1 } })]) })
  assert.equal(ids(sockets[0]).at(-1), "o51")
})

test("what was refused for now goes before what came after it", () => {
  const { connection, reconciler, sockets, hear, tick } = stage()
  hear(state)
  moves(reconciler, 1, 3)
  connection.flush()
  for (const id of ["o1", "o2", "o3"]) hear({ message_type: "operation_rejected", operation_id: id, reason: "rate_limited", retry_after_ms: 20 })
  moves(reconciler, 4, 4)
  connection.flush()
  assert.deepEqual(ids(sockets[0]), ["o1", "o2", "o3"])
  tick()
  assert.deepEqual(ids(sockets[0]).slice(3), ["o1"])
  hear({ message_type: "diagram_operation", operation_id: "o1", sequence_number: 4, operation: patch([update("a", { position: { x: 1 } })]) })
  assert.deepEqual(ids(sockets[0]).slice(3), ["o1", "o2", "o3"])
})

test("an operation that the server takes for too large is given up, and the others go on", () => {
  const { connection, reconciler, sockets, hear, drop, tick } = stage()
  const given = []
  connection.addEventListener("rejected", ({ detail }) => given.push(detail.message))
  hear(state)
  moves(reconciler, 1, 1)
  reconciler.local("large", [update("a", { properties: { label: "x".repeat(70_000) } })])
  moves(reconciler, 2, 2)
  connection.flush()
  drop(4413)
  assert.deepEqual(given, [{ operation_id: "large", reason: "too_large", affected_cells: ["a"] }])
  tick()
  hear({ message_type: "sync_status", update_vector: 3 })
  assert.deepEqual(ids(sockets[1]), ["o1", "o2"])
})

test("who was removed does not come back", () => {
  const { connection, sockets, hear, drop, tick } = stage()
  hear(state)
  drop(4403)
  tick()
  assert.deepEqual([connection.status, sockets.length], ["closed", 1])
})

test("of cursors only the latest is sent", () => {
  const { connection, sockets, hear, tick } = stage()
  hear(state)
  for (const x of [1, 2, 3]) connection.sendLatest({ message_type: "cursor", cursor_position: { x, y: 0 } })
  tick()
  assert.deepEqual(sent(sockets[0], "cursor").map((one) => one.cursor_position.x), [3])
})

test("what an earlier page left is taken over once, and a store that refuses is done without", () => {
  const held = new Map()
  const storage = {
    get length() { return held.size },
    key: (index) => [...held.keys()][index],
    getItem: (key) => held.get(key) ?? null,
    setItem: (key, value) => held.set(key, value),
    removeItem: (key) => held.delete(key),
  }
  const operation = patch([update("a", { position: { x: 5 } })])
  new Kept(storage, "me", "d", "page1").put([{ operation_id: "o1", operation, applied: {} }])
  new Kept(storage, "me", "other", "page1").put([{ operation_id: "o2", operation }])
  storage.setItem("tmi-unsent:me:d:broken", "{")
  const kept = new Kept(storage, "me", "d", "page2")
  assert.deepEqual(kept.take(), [{ operation_id: "o1", operation }])
  // The page may end before it has sent anything: it is still there for the next, once.
  assert.deepEqual(storage.getItem("tmi-unsent:me:d:page1"), null)
  const next = new Kept(storage, "me", "d", "page3")
  assert.deepEqual(next.take(), [{ operation_id: "o1", operation }])
  next.put([])
  assert.deepEqual(kept.take(), [])
  assert.equal(new Kept({}, "me", "d", "x").put([{ operation_id: "o", operation }]), false)
})
