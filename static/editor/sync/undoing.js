// Taking back and doing again. What was never sent is withdrawn here; of the rest the server takes back one operation
// for each request, so an edit of several is asked for one after the other, and only as long as it is this edit.

// With these the server says that it did not do what was asked.
const REFUSALS = new Set(["RATE_LIMITED", "SERVICE_UNAVAILABLE", "PERMISSION_DENIED"])
const MOST_WAITING = 100

export class Undoing {
  /** @type {any} */ reconciler
  /** @type {any} */ connection
  /** @type {any} */ show
  /** @type {any} */ refuse
  /** @type {any} */ edits
  /** @type {any} */ undone
  /** @type {any} */ asked
  /** @type {any} */ waiting

  /** `show(changed)` draws these cells anew; `refuse()` says that nothing was taken back. */
  constructor(reconciler, connection, { show, refuse }) {
    Object.assign(this, { reconciler, connection, show, refuse })
    // The ids of the operations of each own edit of this visit, the latest last; and of what was taken back of them.
    this.edits = []
    this.undone = []
    this.asked = null
    this.waiting = []
    connection.addEventListener("changed", () => this.#go())
    connection.addEventListener("rejected", ({ detail }) => this.#forget(detail.message.operation_id))
    connection.addEventListener("status", ({ detail }) => detail.status !== "online" && this.#settle())
  }

  /** An own edit that consists of these operations. */
  made(ids) {
    this.edits.push(ids)
    this.undone.length = 0
    if (this.asked) this.asked.newer += 1
  }

  /** `way` is "undo" or "redo"; asked again meanwhile, it comes after. */
  ask(way) {
    if (this.waiting.length < MOST_WAITING) this.waiting.push(way)
    this.#next()
  }

  /** What the server says; answers whether it was about this. */
  hear(message) {
    const { asked } = this
    if (message.message_type === "history_operation") {
      this.#answered(message)
      return true
    }
    if (message.message_type !== "error" || !asked?.sent || !REFUSALS.has(message.code)) return false
    this.#settle()
    this.refuse()
    return true
  }

  #next() {
    if (this.asked || !this.waiting.length) return
    const way = this.waiting.shift()
    const here = way === "undo" ? this.#unsent() : []
    const whole = here.length > 0 && here.length === this.edits.at(-1).length
    if (!whole && !this.connection.online) {
      this.waiting.length = 0
      return this.refuse()
    }
    for (const id of here) this.#withdraw(id)
    if (whole) return this.#next()
    const ids = this.#from(way).pop() ?? []
    this.asked = { way, ids, single: !ids.length, done: [], sent: false, newer: 0 }
    // What is made from now on waits, or it would be the latest that is taken back.
    this.connection.hold()
    this.#go()
  }

  /** What was never sent of the latest edit, the last of it first. */
  #unsent() {
    const ids = new Set(this.edits.at(-1))
    return this.reconciler.pending.filter((one) => ids.has(one.operation_id) && !one.tried).map((one) => one.operation_id).reverse()
  }

  #withdraw(id) {
    const { changed } = this.reconciler.withdraw(id)
    this.#drop(id)
    this.show(changed)
  }

  /** Takes an operation off the lists that it is in. */
  #drop(id) {
    for (const lists of [this.edits, this.undone, [this.asked?.ids ?? []]]) {
      const at = lists.findIndex((ids) => ids.includes(id))
      if (at < 0) continue
      lists[at].splice(lists[at].indexOf(id), 1)
      if (!lists[at].length) lists.splice(at, 1)
    }
  }

  #from = (way) => (way === "undo" ? this.edits : this.undone)

  /** Asks for the next one, once all that was made before is answered. */
  #go() {
    const { asked, connection } = this
    if (!asked || asked.sent || connection.behind) return
    if (!asked.ids.length && !asked.single) return this.#settle()
    asked.sent = connection.send({ message_type: `${asked.way}_request` })
    if (!asked.sent) this.#settle()
  }

  #answered({ operation_type: way, message, operation_id: made, undone_operation_id: about }) {
    const asked = this.asked?.way === way ? this.asked : null
    const ours = asked?.ids.includes(about)
    this.#drop(about)
    if (!asked) return
    asked.sent = false
    if (message === "done") asked.done.push(way === "undo" ? about : made)
    if (message.startsWith("no_operations")) asked.ids.length = 0
    if (ours && asked.ids.length) this.#go()
    else this.#settle()
  }

  /** The server did not take it: nothing of it can be taken back. */
  #forget(id) {
    this.#drop(id)
    this.#go()
  }

  /** Below the edits that were made meanwhile, after which nothing can be done again. */
  #put(way, ids) {
    const { newer } = this.asked
    if (way === "undo") this.edits.splice(this.edits.length - newer, 0, ids)
    else if (!newer) this.undone.push(ids)
  }

  #settle() {
    const { asked } = this
    if (!asked) return
    if (asked.ids.length) this.#put(asked.way, asked.ids)
    if (asked.done.length) this.#put(asked.way === "undo" ? "redo" : "undo", asked.done)
    this.asked = null
    this.connection.release()
    this.#next()
  }
}
