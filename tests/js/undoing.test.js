import assert from "node:assert/strict"
import { test } from "node:test"
import { update } from "../../static/editor/state.js"
import { Reconciler } from "../../static/editor/sync/reconcile.js"
import { Connection } from "../../static/editor/sync/socket.js"
import { Undoing } from "../../static/editor/sync/undoing.js"

const box = (id, x = 0) => ({ id, type: "process", properties: {}, position: { x, y: 0 }, size: { width: 80, height: 40 } })

/** A page with a server that says what the test says; edits move the cell "a". */
function stage() {
  const sockets = []
  const waiting = []
  const reconciler = new Reconciler()
  const make = () => {
    const socket = { readyState: 1, sent: [], send: (text) => socket.sent.push(JSON.parse(text)) }
    sockets.push(socket)
    return socket
  }
  const connection = new Connection("/ws", reconciler, { make, wait: (ms, act) => waiting.push(act) })
  const refusals = []
  const undoing = new Undoing(reconciler, connection, { show: () => {}, refuse: () => refusals.push(1) })
  const hear = (message) => {
    sockets.at(-1).onmessage({ data: JSON.stringify(message) })
    if (["history_operation", "error"].includes(message.message_type)) undoing.hear(message)
  }
  let [made, number] = [0, 0]
  const edit = (count = 1) => {
    const ids = Array.from({ length: count }, () => `o${(made += 1)}`)
    for (const id of ids) reconciler.local(id, [update("a", { position: { x: Number(id.slice(1)) } })])
    undoing.made(ids)
    connection.flush()
    return ids
  }
  const accept = (...ids) => {
    for (const id of ids) {
      const operation = reconciler.pending.find((one) => one.operation_id === id).operation
      hear({ message_type: "diagram_operation", operation_id: id, sequence_number: (number += 1), operation })
    }
  }
  const refuse = (id) => hear({ message_type: "operation_rejected", operation_id: id, reason: "rate_limited", retry_after_ms: 50 })
  const answer = (way, about, message = "done") => {
    const operation_id = message === "done" ? `${way} of ${about}` : null
    hear({ message_type: "history_operation", operation_type: way, message, operation_id, undone_operation_id: about })
  }
  const asked = () => sockets.at(-1).sent.map((one) => one.message_type).filter((kind) => kind.endsWith("_request"))
  const sent = () => sockets.at(-1).sent.filter((one) => one.message_type === "diagram_operation").map((one) => one.operation_id)
  const drop = () => sockets.at(-1).onclose({ code: 1006 })
  const tick = () => waiting.splice(0).forEach((act) => act())
  connection.open()
  hear({ message_type: "diagram_state", cells: [box("a")], update_vector: 0 })
  return { connection, reconciler, undoing, hear, edit, accept, refuse, answer, asked, sent, drop, tick, refusals }
}

test("an edit of several operations goes back as a whole, one after the other, and comes back as a whole", () => {
  const at = stage()
  at.accept(...at.edit(), ...at.edit(3))
  at.undoing.ask("undo")
  assert.equal(at.asked().length, 1)
  for (const id of ["o4", "o3", "o2"]) at.answer("undo", id)
  assert.equal(at.asked().length, 3)
  assert.deepEqual(at.undoing.edits, [["o1"]])
  at.undoing.ask("redo")
  for (const id of ["o2", "o3", "o4"]) at.answer("redo", id)
  assert.deepEqual(at.asked().slice(3), ["redo_request", "redo_request", "redo_request"])
  at.undoing.ask("undo")
  for (const id of ["redo of o4", "redo of o3", "redo of o2"]) at.answer("undo", id)
  assert.equal(at.asked().length, 9)
  assert.deepEqual(at.undoing.edits, [["o1"]])
})

test("of an edit that is only partly on its way the rest is withdrawn and nothing older goes back", () => {
  const at = stage()
  at.accept(...at.edit(), ...at.edit())
  at.connection.window = 1
  at.edit(3)
  at.undoing.ask("undo")
  assert.deepEqual(at.reconciler.pending.map((one) => one.operation_id), ["o3"])
  assert.deepEqual(at.asked(), [])
  at.accept("o3")
  assert.deepEqual(at.asked(), ["undo_request"])
  at.answer("undo", "o3")
  assert.deepEqual(at.asked(), ["undo_request"])
  assert.deepEqual(at.undoing.edits, [["o1"], ["o2"]])
})

test("what was refused for now is withdrawn, not asked for", () => {
  const at = stage()
  at.edit()
  at.refuse("o1")
  at.undoing.ask("undo")
  assert.deepEqual([at.asked(), at.reconciler.pending], [[], []])
})

test("what is made while something goes back waits, and stays what it is", () => {
  const at = stage()
  at.edit()
  at.undoing.ask("undo")
  at.edit()
  assert.deepEqual(at.sent(), ["o1"])
  at.accept("o1")
  at.answer("undo", "o1")
  assert.deepEqual(at.sent(), ["o1", "o2"])
  assert.deepEqual([at.undoing.edits, at.undoing.undone], [[["o2"]], []])
})

test("asked for twice at once, two edits go back", () => {
  const at = stage()
  at.accept(...at.edit(), ...at.edit())
  at.undoing.ask("undo")
  at.undoing.ask("undo")
  assert.equal(at.asked().length, 1)
  at.answer("undo", "o2")
  at.answer("undo", "o1")
  assert.deepEqual([at.asked().length, at.undoing.edits, at.undoing.undone], [2, [], [["o2"], ["o1"]]])
})

test("it ends with what the server says of another edit, and with nothing left", () => {
  const at = stage()
  at.accept(...at.edit(2))
  at.undoing.ask("undo")
  // Of another page of the same person.
  at.answer("undo", "elsewhere")
  assert.deepEqual([at.asked().length, at.undoing.edits], [1, [["o1", "o2"]]])
  at.undoing.ask("undo")
  at.answer("undo", "o2")
  at.answer("undo", null, "no_operations_to_undo")
  assert.deepEqual([at.undoing.edits, at.undoing.undone], [[], [["elsewhere"], ["o2"]]])
})

test("what others have changed since is passed over, and the rest of the edit goes back", () => {
  const at = stage()
  at.accept(...at.edit(2))
  at.undoing.ask("undo")
  at.answer("undo", "o2", "changed_by_others")
  at.answer("undo", "o1")
  assert.deepEqual([at.asked().length, at.undoing.edits, at.undoing.undone], [2, [], [["o1"]]])
})

test("a refusal or a lost connection leaves what was not taken back where it was", () => {
  const at = stage()
  at.accept(...at.edit(2))
  at.undoing.ask("undo")
  at.answer("undo", "o2")
  at.hear({ message_type: "error", code: "SERVICE_UNAVAILABLE", message: "" })
  assert.deepEqual([at.undoing.edits, at.undoing.undone, at.refusals.length], [[["o1"]], [["o2"]], 1])
  at.undoing.ask("undo")
  at.drop()
  assert.deepEqual(at.undoing.edits, [["o1"]])
  at.undoing.ask("undo")
  assert.equal(at.refusals.length, 2)
  // Made while away and never sent: that needs no server.
  at.edit()
  at.undoing.ask("undo")
  assert.deepEqual([at.reconciler.pending, at.refusals.length], [[], 2])
})

test("what may have reached the server is not withdrawn while the connection is away", () => {
  const at = stage()
  at.edit()
  at.drop()
  at.undoing.ask("undo")
  assert.deepEqual([at.reconciler.pending.length, at.refusals.length, at.undoing.edits], [1, 1, [["o1"]]])
})

test("an edit that the server does not take cannot be taken back", () => {
  const at = stage()
  at.accept(...at.edit())
  at.edit()
  at.undoing.ask("undo")
  at.hear({ message_type: "operation_rejected", operation_id: "o2", reason: "conflict_detected", affected_cells: [] })
  assert.deepEqual([at.asked(), at.undoing.edits], [[], [["o1"]]])
  at.undoing.ask("undo")
  assert.equal(at.asked().length, 1)
})

test("without an edit of this visit one request is made", () => {
  const at = stage()
  at.undoing.ask("undo")
  at.answer("undo", "earlier")
  at.undoing.ask("redo")
  at.answer("redo", "earlier")
  assert.deepEqual([at.asked(), at.undoing.edits], [["undo_request", "redo_request"], [["redo of earlier"]]])
})

