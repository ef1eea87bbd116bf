// A threat model over REST: made, filled, changed under an ETag, read in pages, and reported.
//
//     TMI_URL=http://localhost:8080 CLIENT_ID=... CLIENT_SECRET=... node review.mjs
//
// Needs Node 20 or later, and no package. The credential is made on the page Client credentials.

import { randomUUID } from "node:crypto"

const { TMI_URL, CLIENT_ID, CLIENT_SECRET } = process.env
const API = `${TMI_URL}/api/v1`
let token

/** An answer, once it is a success; an error is a sentence and says which field it is about. */
async function ask(method, address, body, headers = {}) {
  const sent = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }), ...headers }
  const response = await fetch(address, { method, headers: sent, body: body && JSON.stringify(body) })
  const answer = await response.json()
  if (!answer.success) {
    const { code, message, details } = answer.error
    throw new Error(`${response.status} ${code}: ${message} ${JSON.stringify(details)}`)
  }
  return { data: answer.data, meta: answer.meta, tag: response.headers.get("ETag") }
}

/** All entries of a list, page by page. */
async function* every(address) {
  let cursor = ""
  while (cursor !== null) {
    const page = await ask("GET", `${address}?limit=50&cursor=${encodeURIComponent(cursor)}`)
    yield* page.data
    cursor = page.meta.pagination.next_cursor
  }
}

const given = { grant_type: "client_credentials", client_id: CLIENT_ID, client_secret: CLIENT_SECRET }
token = (await ask("POST", `${API}/auth/token`, given)).data.access_token

// Sent twice, because a connection broke, this still makes one model.
const model = (await ask("POST", `${API}/threat_models`, { name: "Payments" }, { "Idempotency-Key": randomUUID() })).data
const address = `${API}/threat_models/${model.id}`

const threats = [
  { name: "Orders are forged", severity: "high", threat_type: "Tampering" },
  { name: "Nobody knows who paid", severity: "medium", threat_type: "Repudiation" },
]
const [first] = (await ask("POST", `${address}/threats/bulk`, threats)).data

// If somebody changed it in the meantime this is a 412, and theirs stays.
const threat = `${address}/threats/${first.id}`
const { tag } = await ask("GET", threat)
await ask("PATCH", threat, { mitigated: true, mitigation: "Orders are signed." }, { "If-Match": tag })

for await (const one of every(`${address}/threats`)) {
  console.log(one.severity.padEnd(8), one.mitigated ? "done " : "open ", one.name)
}
const report = await fetch(`${address}/report?as=markdown`, { headers: { Authorization: `Bearer ${token}` } })
console.log((await report.text()).split("\n")[0])
console.log(model.id)
