// The cells of a diagram and what an operation does to them: the rules are those of the server's
// threatmodels/operations.py. Pure; cells are never changed in place, so that states may share them.
import { say } from "./words.js"

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value)

/** JSON Merge Patch (RFC 7396); the target is not changed. */
export function merge(target, patch) {
  if (!isObject(patch)) return patch
  const merged = isObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key]
    else put(merged, key, merge(own(merged, key), value))
  }
  return merged
}

/** The smallest merge patch from one object to another; neither holds null. */
export function difference(old, wanted) {
  const found = {}
  for (const key of Object.keys(old)) if (!Object.hasOwn(wanted, key)) put(found, key, null)
  for (const [key, value] of Object.entries(wanted)) {
    if (!Object.hasOwn(old, key)) put(found, key, value)
    else if (isObject(value) && isObject(old[key])) {
      const inner = difference(old[key], value)
      if (Object.keys(inner).length) put(found, key, inner)
    } else if (!same(old[key], value)) put(found, key, value)
  }
  return found
}

/** Equality of JSON values. */
export function same(left, right) {
  if (left === right) return true
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => same(item, right[index]))
  }
  if (!isObject(left) || !isObject(right)) return false
  const keys = Object.keys(left)
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && same(left[key], right[key]))
  )
}

const own = (object, key) => (Object.hasOwn(object, key) ? object[key] : undefined)

// A key may be called __proto__; assignment would take it for something else.
function put(object, key, value) {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
}

/** The ids of the cells that a flow connects. */
export const flowEnds = (cell) =>
  [cell.source, cell.target].filter((end) => typeof end?.cell === "string").map((end) => end.cell)

/** The same with no half of a character anywhere, which UTF-8 has no room for and no server takes. */
export function wellFormed(value) {
  const text = JSON.stringify(value)
  if (!/\\ud[89a-f]/i.test(text)) return value
  return JSON.parse(text, (_, one) => (typeof one === "string" ? one.replace(/\p{Surrogate}/gu, "\ufffd") : one))
}

export const add = (cell) => ({ id: cell.id, operation: "add", data: cell })
export const update = (id, patch) => ({ id, operation: "update", data: patch })
export const remove = (id) => ({ id, operation: "remove", data: null })
export const patch = (steps) => ({ type: "patch", cells: steps })

/** An operation does not fit the diagram. */
export class Rejected extends Error {
  /** @type {any} */ reason
  /** @type {any} */ cellIds

  constructor(reason, message, cellIds = []) {
    super(message)
    this.reason = reason
    this.cellIds = cellIds
  }
}

/** The cells by id, and which of them refer to which: a step costs its own size. */
export class State {
  /** @type {any} */ cells
  /** @type {any} */ flows
  /** @type {any} */ inside

  constructor(cells = []) {
    this.cells = new Map()
    this.flows = new Map()
    this.inside = new Map()
    for (const cell of cells) this.#put(cell)
  }

  get(id) {
    return this.cells.get(id)
  }

  listed() {
    return [...this.cells.values()]
  }

  /** The ids of the flows that end on the cell. */
  attached(id) {
    return [...(this.flows.get(id) ?? [])].sort()
  }

  /** The ids of the cells that lie in the cell. */
  children(id) {
    return [...(this.inside.get(id) ?? [])].sort()
  }

  /** Carries out all steps or none; answers {steps, before}, which `takeBack` takes. Throws Rejected. */
  apply(operation) {
    const applied = { steps: [], before: new Map() }
    try {
      for (const step of operation.cells) this.#step(step, applied)
      if (!applied.steps.length) throw new Rejected("no_state_change", say("The diagram is like that already."))
    } catch (error) {
      this.takeBack(applied)
      throw error
    }
    return applied
  }

  /** Makes the touched cells what they were. */
  takeBack(applied) {
    for (const [id, cell] of applied.before) {
      if (this.cells.has(id)) {
        if (cell) this.#replace(id, cell)
        else this.#drop(id)
      } else if (cell) this.#put(cell)
    }
  }

  #step(step, applied) {
    if (step.operation === "add") this.#add({ ...step.data, id: step.id }, applied)
    else if (step.operation === "update") this.#update(step.id, step.data, applied)
    else this.#remove(step.id, applied)
  }

  #add(cell, applied) {
    const known = this.cells.get(cell.id)
    if (!known) {
      this.#note(applied, cell.id)
      this.#put(cell)
      applied.steps.push(add(cell))
    } else if (!same(known, cell)) {
      throw new Rejected("conflict_detected", say("A cell with this id exists already."), [cell.id])
    }
  }

  #update(id, mergePatch, applied) {
    const old = this.cells.get(id)
    if (!old) throw new Rejected("conflict_detected", say("This element is gone."), [id])
    const wanted = merge(old, mergePatch)
    const effective = difference(old, wanted)
    if (!Object.keys(effective).length) return
    this.#note(applied, id)
    this.#replace(id, wanted)
    applied.steps.push(update(id, effective))
  }

  #remove(id, applied) {
    if (!this.cells.has(id)) return
    for (const flow of this.attached(id)) if (flow !== id) this.#remove(flow, applied)
    for (const child of this.children(id)) this.#update(child, { parent: null }, applied)
    this.#note(applied, id)
    this.#drop(id)
    applied.steps.push(remove(id))
  }

  #note(applied, id) {
    if (!applied.before.has(id)) applied.before.set(id, this.cells.get(id))
  }

  #put(cell) {
    this.cells.set(cell.id, cell)
    this.#link(cell)
  }

  #replace(id, cell) {
    this.#unlink(this.cells.get(id))
    this.cells.set(id, cell)
    this.#link(cell)
  }

  #drop(id) {
    this.#unlink(this.cells.get(id))
    this.cells.delete(id)
  }

  #link(cell) {
    for (const end of flowEnds(cell)) enter(this.flows, end, cell.id)
    if (typeof cell.parent === "string") enter(this.inside, cell.parent, cell.id)
  }

  #unlink(cell) {
    for (const end of flowEnds(cell)) leave(this.flows, end, cell.id)
    if (typeof cell.parent === "string") leave(this.inside, cell.parent, cell.id)
  }
}

function enter(index, key, value) {
  if (!index.has(key)) index.set(key, new Set())
  index.get(key).add(value)
}

function leave(index, key, value) {
  const held = index.get(key)
  if (!held) return
  held.delete(value)
  if (!held.size) index.delete(key)
}
