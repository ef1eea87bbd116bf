// What was not sent yet outlives the page: in the browser's own store, one entry for every open page of a diagram.

/** `storage` is localStorage or alike; one that refuses (full, forbidden) is done without. */
export class Kept {
  /** @type {any} */ storage
  /** @type {any} */ prefix
  /** @type {any} */ key

  constructor(storage, person, diagram, page) {
    this.storage = storage
    this.prefix = `tmi-unsent:${person}:${diagram}:`
    this.key = this.prefix + page
  }

  /** What earlier pages left; from now on it is this page's. An operation that two pages send counts once. */
  take() {
    const found = []
    try {
      const keys = this.#keys()
      for (const key of keys) found.push(...read(this.storage.getItem(key)))
      // Only what stands there under this page's name as well goes from the others'.
      if (this.put(found)) for (const key of keys) if (key !== this.key) this.storage.removeItem(key)
    } catch {
      return found
    }
    return found
  }

  put(pending) {
    try {
      if (!pending.length) this.storage.removeItem(this.key)
      else this.storage.setItem(this.key, JSON.stringify(pending.map(bare)))
      return true
    } catch {
      return false
    }
  }

  #keys() {
    const all = Array.from({ length: this.storage.length }, (_, index) => this.storage.key(index))
    return all.filter((key) => key?.startsWith(this.prefix)).sort()
  }
}

const bare = ({ operation_id, operation }) => ({ operation_id, operation })

function read(text) {
  try {
    const list = JSON.parse(text ?? "[]")
    return Array.isArray(list) ? list.filter((one) => one?.operation_id && Array.isArray(one.operation?.cells)) : []
  } catch {
    return []
  }
}
