// What was typed into a form and is not stored yet: it outlives the drawing of its form.

export class Drafts {
  /** @type {Map<string, {values: string[], title: string}>} */
  held = new Map()

  /** The form as it was left under this key; what is typed into it is remembered. `title` says what it is about. */
  kept(form, key, title) {
    const fields = [...form.querySelectorAll("input, select, textarea")]
    const now = () => fields.map((one) => one.value)
    const fresh = now()
    for (const [index, value] of this.held.get(key)?.values.entries() ?? []) fields[index].value = value
    form.addEventListener("input", () => {
      const values = now()
      if (values.every((value, index) => value === fresh[index])) this.held.delete(key)
      else this.held.set(key, { values, title })
    })
    return form
  }

  /** It is stored, or not wanted any more; with `sent` only if nobody has typed on since. */
  clear(key, sent = this.held.get(key)) {
    if (this.held.get(key) === sent) this.held.delete(key)
  }

  /** What the drafts are about whose key is still good for something. */
  titles(live = (_key) => true) {
    return [...this.held].filter(([key]) => live(key)).map(([, { title }]) => title)
  }
}
