// The REST API, with the session of the page.
import { send, SomebodyElse } from "../js/token.js"
import { say } from "./words.js"

const person = () => JSON.parse(document.querySelector("#settings").textContent).user_id

/** The answer's `data`, or all of it with `whole`, or {data, etag} with `tagged`. Throws an Error with the server's own words and the status. */
export async function ask(method, path, body, { whole = false, tagged = false, etag = null } = {}) {
  const headers = { Accept: "application/json" }
  if (body !== undefined) headers["Content-Type"] = method === "PATCH" ? "application/merge-patch+json" : "application/json"
  if (etag) headers["If-Match"] = etag
  const options = { method, headers, body: body === undefined ? undefined : JSON.stringify(body), credentials: "same-origin" }
  const answer = await send(`/api/v1${path}`, options, person()).catch((error) => {
    throw error instanceof SomebodyElse ? new Error(say("Somebody else is signed in in this browser now.")) : error
  })
  const said = answer.status === 204 ? null : await answer.json()
  if (answer.ok && tagged) return { data: said.data, etag: answer.headers.get("ETag") }
  if (answer.ok) return whole ? said : (said?.data ?? null)
  const { message, details } = said?.error ?? {}
  const fields = Array.isArray(details) ? details.map((one) => one.message ?? one.reason).filter(Boolean).join(" ") : ""
  throw Object.assign(new Error([message ?? answer.statusText, fields].filter(Boolean).join(" ")), { status: answer.status })
}

/** All pages of a list. */
export async function askAll(path) {
  const found = []
  let cursor = ""
  while (cursor !== null) {
    const page = await ask("GET", `${path}${path.includes("?") ? "&" : "?"}limit=100&cursor=${encodeURIComponent(cursor)}`, undefined, { whole: true })
    found.push(...page.data)
    cursor = page.meta?.pagination?.next_cursor ?? null
  }
  return found
}
