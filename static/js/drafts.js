// What was typed and is not on the server yet, in the browser's own store. A store that refuses (full,
// forbidden) is done without. Each person has drafts of their own: a browser may be shared.

export class Drafts {
  constructor(person) {
    this.prefix = `draft ${person} `
  }

  get(key) {
    try {
      return JSON.parse(localStorage.getItem(this.prefix + key) ?? "null")
    } catch {
      return null
    }
  }

  /** Whether the browser keeps it. */
  put(key, draft) {
    try {
      localStorage.setItem(this.prefix + key, JSON.stringify(draft))
      return true
    } catch {
      return false
    }
  }

  drop(key) {
    try {
      localStorage.removeItem(this.prefix + key)
    } catch {
      // There is none.
    }
  }
}
