// The connection to the server: opens, comes back, sends what is not acknowledged, asks for what is missing.

const FIRST_WAIT = 400
const LONGEST_WAIT = 10_000
// After these nothing is gained by coming back.
const FINAL = new Set([4401, 4403, 4404, 4410])
// The server took the message for too large; sent again it would end the connection again.
const TOO_LARGE = 4413
const CURSOR_EVERY = 50
// So many own operations are on their way at once. After a refusal one alone, lest a later one overtakes it.
const MOST_SENT = 50
const SHORTEST_PAUSE = 100
// Less than the server takes of a person by default: what piled up while away goes without refusals.
const PACE = { burst: 100, per_second: 40 }

export class Connection extends EventTarget {
  /** @type {any} */ url
  /** @type {any} */ reconciler
  /** @type {any} */ make
  /** @type {any} */ wait
  /** @type {any} */ status
  /** @type {any} */ failures
  /** @type {any} */ known
  /** @type {any} */ sent
  /** @type {any} */ loose
  /** @type {any} */ paused
  /** @type {any} */ window
  /** @type {any} */ left
  /** @type {any} */ leftAt
  /** @type {any} */ socket
  /** @type {any} */ only
  /** @type {any} */ pace
  /** @type {any} */ final
  /** @type {any} */ code

  /**
   * `make(url)` opens a WebSocket; `reconciler` knows what is pending and which operation came last; `pace` is how many
   * operations go at once (`burst`) and later `per_second`.
   */
  constructor(url, reconciler, { make = (at) => new WebSocket(at), wait = (ms, act) => setTimeout(act, ms), pace = PACE } = {}) {
    super()
    Object.assign(this, { url, reconciler, make, wait, pace })
    this.status = "connecting"
    this.failures = 0
    this.known = false
    this.sent = new Set()
    this.loose = new Map()
    this.paused = false
    this.window = MOST_SENT
    this.left = pace.burst
    this.leftAt = Date.now()
  }

  open() {
    if (this.socket) return
    const since = this.known ? `?since=${this.reconciler.vector}` : ""
    const socket = (this.socket = this.make(this.url + since))
    socket.onmessage = (event) => this.#receive(JSON.parse(event.data))
    socket.onclose = (event) => this.#closed(socket, event)
    socket.onerror = () => {}
  }

  /** Leaves for good. */
  close() {
    this.final = true
    this.socket?.close()
  }

  get online() {
    return this.status === "online"
  }

  /** Sends own operations that are on no way yet, in their order. */
  flush() {
    if (!this.online || this.paused) return
    for (const one of this.reconciler.pending) {
      if (this.sent.size >= this.window) return
      if (this.sent.has(one.operation_id)) continue
      if (this.only && !this.only.has(one.operation_id)) return
      if (!this.#mayGo()) return this.#rest(1_000 / this.pace.per_second)
      this.sent.add(one.operation_id)
      one.tried = true
      this.send({
        message_type: "diagram_operation",
        operation_id: one.operation_id,
        base_vector: this.reconciler.vector,
        operation: one.operation,
      })
    }
  }

  /** What is made from now on waits until `release()`. */
  hold() {
    this.only = new Set(this.reconciler.pending.map((one) => one.operation_id))
  }

  /** Whether something that was made before is not answered yet. */
  get behind() {
    return this.reconciler.pending.some((one) => this.only?.has(one.operation_id))
  }

  release() {
    this.only = null
    this.flush()
  }

  send(message) {
    if (this.socket?.readyState !== 1) return false
    this.socket.send(JSON.stringify(message))
    return true
  }

  /** For what only the latest matters of: at most one of a kind in a moment, the last one always. */
  sendLatest(message) {
    const waiting = this.loose.has(message.message_type)
    this.loose.set(message.message_type, message)
    if (waiting) return
    this.wait(CURSOR_EVERY, () => {
      const latest = this.loose.get(message.message_type)
      this.loose.delete(message.message_type)
      if (this.online) this.send(latest)
    })
  }

  #receive(message) {
    const kind = message.message_type ?? message.event
    if (kind === "diagram_state") {
      const done = this.reconciler.reset(message.cells, message.update_vector)
      this.#caughtUp()
      this.#emit("changed", { ...done, whole: true })
    } else if (kind === "sync_status") this.#caughtUp()
    else if (kind === "diagram_operation") this.#operation(message)
    else if (kind === "operation_rejected") this.#rejected(message)
    // The first thing after what was missed, also when that was nothing but operations.
    if (kind === "participants_update" && this.known) this.#caughtUp()
    this.#emit("message", message)
  }

  #operation(message) {
    const done = this.reconciler.remote(message)
    if (done.gap) return this.resync()
    if (done.acknowledged) this.#answered(message.operation_id)
    this.#emit("changed", { ...done, message })
  }

  #answered(operationId) {
    this.sent.delete(operationId)
    this.window = Math.min(2 * this.window, MOST_SENT)
    this.flush()
  }

  #rejected(message) {
    const done = this.reconciler.rejected(message)
    if (done.again) this.#pause(message)
    else this.#answered(message.operation_id)
    if (done.known && !done.again) this.#emit("rejected", { ...done, message })
    if (done.resync) this.resync()
  }

  /** What was refused for now, and all after it, waits as long as the server says. */
  #pause({ operation_id: id, retry_after_ms: ms = 1_000 }) {
    this.sent.delete(id)
    this.reconciler.pending.find((one) => one.operation_id === id).tried = false
    this.window = 1
    this.#rest(Math.max(ms, SHORTEST_PAUSE))
  }

  #rest(ms) {
    if (this.paused) return
    this.paused = true
    this.wait(ms, () => {
      this.paused = false
      this.flush()
    })
  }

  #mayGo() {
    const now = Date.now()
    this.left = Math.min(this.pace.burst, this.left + ((now - this.leftAt) * this.pace.per_second) / 1_000)
    this.leftAt = now
    if (this.left < 1) return false
    this.left -= 1
    return true
  }

  /** Gives up the largest of the operations that are on their way, so that the others get through. */
  #giveUpLargest() {
    const size = (one) => JSON.stringify(one.operation).length
    const sent = this.reconciler.pending.filter((one) => this.sent.has(one.operation_id))
    const largest = sent.sort((one, other) => size(other) - size(one))[0]
    if (!largest) return
    const affected = largest.operation.cells.map((step) => step.id)
    const message = { operation_id: largest.operation_id, reason: "too_large", affected_cells: affected }
    const done = this.reconciler.rejected(message)
    this.#emit("rejected", { ...done, message })
  }

  resync() {
    this.send({ message_type: "sync_request", update_vector: this.reconciler.vector })
  }

  #caughtUp() {
    this.known = true
    this.failures = 0
    if (this.status !== "online") this.#become("online")
    this.flush()
  }

  #closed(socket, event) {
    if (socket !== this.socket) return
    this.socket = null
    if (event.code === TOO_LARGE) this.#giveUpLargest()
    this.sent.clear()
    this.code = event.code
    if (this.final || FINAL.has(event.code)) {
      this.final = true
      return this.#become("closed")
    }
    this.#become("offline")
    this.failures += 1
    const most = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(this.failures - 1, 8))
    this.wait(most / 2 + (Math.random() * most) / 2, () => this.comeBack())
  }

  comeBack() {
    if (!this.socket && !this.final) this.open()
  }

  #become(status) {
    if (status === this.status) return
    this.status = status
    this.#emit("status", { status, code: this.code })
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }
}
