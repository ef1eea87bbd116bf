// Drawing in a diagram that others have open: two elements and a flow, seen by everybody at once.
//
//     TMI_URL=... CLIENT_ID=... CLIENT_SECRET=... node draw.mjs THREAT_MODEL DIAGRAM
//
// Needs Node 22 or later (Node 20: node --experimental-websocket draw.mjs ...), and no package.

import { randomUUID } from "node:crypto"

const { TMI_URL, CLIENT_ID, CLIENT_SECRET } = process.env
const [, , , diagram] = process.argv
// Not allowed, not found, ended: coming back is no use.
const FOR_GOOD = new Set([4400, 4401, 4403, 4404, 4410, 4413])

async function post(path, body, headers = {}) {
  const sent = { "Content-Type": "application/json", ...headers }
  const answer = await fetch(`${TMI_URL}/api/v1${path}`, { method: "POST", headers: sent, body: JSON.stringify(body) })
  return (await answer.json()).data
}

const given = { grant_type: "client_credentials", client_id: CLIENT_ID, client_secret: CLIENT_SECRET }
const signedIn = { Authorization: `Bearer ${(await post("/auth/token", given)).access_token}` }

const step = (data) => ({ id: randomUUID(), operation: "add", data })
const shape = (type, label, x) =>
  step({ type, properties: { label }, position: { x, y: 80 }, size: { width: 140, height: 80 } })
const flow = (label, source, target) =>
  step({ type: "data_flow", properties: { label }, source: { cell: source.id }, target: { cell: target.id } })

const till = shape("process", "Till", 40)
const receipts = shape("datastore", "Receipts", 320)
// What is not acknowledged stays here and is sent again under the same id: it is carried out once.
const waiting = new Map([[randomUUID(), [till, receipts]], [randomUUID(), [flow("receipt", till, receipts)]]])
let last = null

/** One connection; ends when it is closed, with the code. */
async function talk() {
  const { ticket } = await post("/ws/ticket", {}, signedIn)
  const since = last === null ? "" : `&since=${last}`
  const socket = new WebSocket(`${TMI_URL.replace("http", "ws")}/ws/diagrams/${diagram}?ticket=${ticket}${since}`)
  socket.onopen = () => {
    for (const [operation_id, cells] of waiting) {
      socket.send(JSON.stringify({ message_type: "diagram_operation", operation_id, operation: { type: "patch", cells } }))
    }
  }
  socket.onmessage = ({ data }) => {
    hear(JSON.parse(data))
    if (!waiting.size) socket.close()
  }
  return new Promise((resolve) => { socket.onclose = ({ code }) => resolve(code) })
}

function hear(message) {
  if (message.message_type === "diagram_state") last = message.update_vector
  if (message.message_type === "diagram_operation") {
    last = message.sequence_number
    if (waiting.delete(message.operation_id)) console.log(`operation ${last} is in the database`)
  }
  if (message.message_type === "operation_rejected") throw new Error(`${message.reason}: ${message.message}`)
}

while (waiting.size) {
  const code = await talk()
  if (FOR_GOOD.has(code)) throw new Error(`closed with ${code}`)
}
