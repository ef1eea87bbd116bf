// What one sees: the server's cells with one's own operations that it has not answered yet on top of them.
// Pure; every method answers {changed, ...}, the ids of the cells that look different now.
import { Rejected, State, patch, same } from "../state.js"

// The server asks for these to be sent again; they are no answer.
const LATER = new Set(["rate_limited", "unavailable"])

export class Reconciler {
  /** @type {any} */ me
  /** @type {any} */ state
  /** @type {any} */ vector
  /** @type {any} */ pending
  /** @type {any} */ seen

  /** `me` is the id of the person, which nothing but `mine` of an answer depends on. */
  constructor(me = null) {
    this.me = me
    this.state = new State()
    this.vector = 0
    // In the order they were made: {operation_id, operation, applied, tried}; `applied` is null where it does not fit now,
    // `tried` says that the server may have it.
    this.pending = []
  }

  /** Carries an own operation out at once. Throws Rejected when it does not fit. */
  local(operationId, steps) {
    const operation = patch(steps)
    const applied = this.state.apply(operation)
    this.pending.push({ operation_id: operationId, operation, applied })
    return { changed: new Set(applied.before.keys()) }
  }

  /** Operations of an earlier visit that were never answered. */
  adopt(kept) {
    const known = new Set(this.pending.map((one) => one.operation_id))
    const added = kept.filter((one) => !known.has(one.operation_id))
    return this.#rebase(() => {
      this.pending.push(...added.map((one) => ({ ...one, applied: null, tried: true })))
    })
  }

  /** `diagram_state`: takes the place of what the server's cells were. */
  reset(cells, vector) {
    const before = this.state.cells
    this.state = new State(cells)
    this.vector = vector
    for (const one of this.pending) one.applied = this.#tried(one.operation)
    const ids = new Set([...before.keys(), ...this.state.cells.keys()])
    return { changed: new Set([...ids].filter((id) => !same(before.get(id), this.state.cells.get(id)))) }
  }

  /** `diagram_operation`. Answers {gap: true} when operations before it are missing. */
  remote({ operation_id: id, sequence_number: number, operation }) {
    const at = this.pending.findIndex((one) => one.operation_id === id)
    if (number > this.vector + 1) return { changed: new Set(), gap: true, acknowledged: false }
    if (number <= this.vector) {
      if (at < 0) return { changed: new Set(), acknowledged: false }
      return { ...this.#rebase(() => this.pending.splice(at, 1)), acknowledged: true }
    }
    this.vector = number
    if (at === 0 && this.pending[0].applied && same(this.pending[0].applied.steps, operation.cells)) {
      // The usual case: carried out as it was meant, nothing in between.
      this.pending.shift()
      return { changed: new Set(), acknowledged: true }
    }
    const done = this.#rebase(() => {
      if (at >= 0) this.pending.splice(at, 1)
      this.#tried(operation)
    })
    return { ...done, acknowledged: at >= 0 }
  }

  /** `operation_rejected`: undoes it here, unless it is to be sent again (`again`). */
  rejected({ operation_id: id, reason, requires_resync: resync = false }) {
    const at = this.pending.findIndex((one) => one.operation_id === id)
    if (at < 0) return { changed: new Set(), known: false, again: false, resync }
    if (LATER.has(reason)) return { changed: new Set(), known: true, again: true, resync }
    const [gone] = this.pending.slice(at, at + 1)
    const done = this.#rebase(() => this.pending.splice(at, 1))
    return { ...done, known: true, again: false, resync, operation: gone.operation }
  }

  /** Takes back the last own operation that was never sent; null when there is none. */
  withdraw(operationId) {
    const at = this.pending.findIndex((one) => one.operation_id === operationId)
    if (at < 0) return null
    return this.#rebase(() => this.pending.splice(at, 1))
  }

  /** Own operations off, whatever `act` does, and own operations on again. */
  #rebase(act) {
    const seen = (this.seen = new Map())
    for (const one of [...this.pending].reverse()) {
      for (const id of one.applied?.before.keys() ?? []) if (!seen.has(id)) seen.set(id, this.state.get(id))
      if (one.applied) this.state.takeBack(one.applied)
      one.applied = null
    }
    act()
    for (const one of this.pending) one.applied = this.#tried(one.operation)
    this.seen = null
    return { changed: new Set([...seen.keys()].filter((id) => !same(seen.get(id), this.state.get(id)))) }
  }

  #tried(operation) {
    try {
      const applied = this.state.apply(operation)
      for (const [id, cell] of applied.before) if (this.seen && !this.seen.has(id)) this.seen.set(id, cell)
      return applied
    } catch (error) {
      if (error instanceof Rejected) return null
      throw error
    }
  }
}
