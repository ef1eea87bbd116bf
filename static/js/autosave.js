// Fields that save themselves. Inside `[data-autosave=URL]` every control with a name is one field: what is
// typed goes to the URL a moment later, stays in this browser until the server has it, and comes back after a
// lost connection, a closed tab or a sign-out.
import { say } from "./words.js"

const TYPING = 700
const RETRY = 3000
const LONGEST_RETRY = 30000
const csrf = () => document.querySelector('meta[name="csrf-token"]').content
const valueOf = (control) => (control.type === "checkbox" ? String(control.checked) : control.value)
const show = (control, value) => {
  if (control.type === "checkbox") control.checked = value === "true"
  else control.value = value
}

/** One control: what the server has (`was`), and what it is yet to get. */
class Field {
  /** @type {any} */ form
  /** @type {any} */ control
  /** @type {any} */ name
  /** @type {any} */ was
  /** @type {any} */ key
  /** @type {any} */ base
  /** @type {any} */ refused
  /** @type {any} */ timer

  constructor(form, control) {
    this.form = form
    this.control = control
    this.name = control.name
    this.was = valueOf(control)
    this.key = `draft ${form.url} ${this.name}`
    control.addEventListener("input", () => this.typed(TYPING))
    control.addEventListener("change", () => this.typed(0))
  }

  get isDirty() {
    return valueOf(this.control) !== this.was
  }

  /** A text from before that never reached the server is put back, and sent. */
  recover() {
    const kept = JSON.parse(localStorage.getItem(this.key) ?? "null")
    if (kept === null) return
    if (kept.value === this.was) return this.forget()
    show(this.control, kept.value)
    this.base = kept.was
    this.form.send(this)
  }

  typed(wait) {
    // Leaving a field whose text was refused is no new text.
    if (this.refused === valueOf(this.control)) return
    this.refused = undefined
    this.complain("")
    if (this.isDirty || this.base !== undefined) {
      localStorage.setItem(this.key, JSON.stringify({ value: valueOf(this.control), was: this.base ?? this.was }))
      this.form.tell("typing")
    } else this.forget()
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.form.send(this), wait)
  }

  forget() {
    localStorage.removeItem(this.key)
    this.base = undefined
  }

  /** The server has `sent`; whatever was typed meanwhile follows. */
  saved(sent) {
    this.was = sent
    this.base = undefined
    if (this.isDirty) this.typed(0)
    else this.forget()
  }

  /** What the row says now, unless somebody is typing here. */
  refresh(value) {
    if (this.isDirty) return
    this.was = value
    if (valueOf(this.control) !== value) show(this.control, value)
    this.was = valueOf(this.control)
  }

  complain(reason) {
    const place = this.control.closest(".field") ?? this.control.parentElement
    place.querySelector(".field-errors")?.remove()
    place.classList.toggle("field-wrong", Boolean(reason))
    this.control.toggleAttribute("aria-invalid", Boolean(reason))
    if (!reason) return
    const told = document.createElement("div")
    told.className = "field-errors"
    told.setAttribute("role", "alert")
    told.append(reason)
    place.append(told)
    return told
  }

  /** Both texts stay: the person decides. */
  conflict(reason, theirs) {
    const told = this.complain(reason)
    const quote = document.createElement("blockquote")
    quote.className = "theirs"
    quote.append(theirs || say("(empty)"))
    const keep = button(say("Keep my text"), () => {
      this.refused = undefined
      this.base = theirs
      this.was = theirs
      this.typed(0)
    })
    const take = button(say("Take theirs"), () => {
      this.refused = undefined
      this.forget()
      this.was = theirs
      show(this.control, theirs)
      this.complain("")
      this.form.tell("saved")
    })
    told.append(quote, keep, take)
  }
}

function button(text, act) {
  const made = document.createElement("button")
  made.type = "button"
  made.className = "btn btn-quiet btn-small"
  made.append(text)
  made.addEventListener("click", act)
  return made
}

/** The fields of one row: one request at a time, in the order of typing. */
class Form {
  /** @type {any} */ element
  /** @type {any} */ url
  /** @type {any} */ status
  /** @type {any} */ waiting
  /** @type {any} */ busy
  /** @type {any} */ pause
  /** @type {any} */ fields
  /** @type {any} */ timer

  constructor(element) {
    this.element = element
    this.url = element.dataset.autosave
    this.status = document.querySelector(element.dataset.status ?? "#save-status")
    this.waiting = new Set()
    this.busy = false
    this.pause = RETRY
    this.fields = new Map()
    for (const control of element.querySelectorAll("input[name], select[name], textarea[name]")) {
      const isOwn = !control.form && !control.closest("[data-helper]") && control.closest("[data-autosave]") === element
      if (isOwn) this.fields.set(control.name, new Field(this, control))
    }
    for (const field of this.fields.values()) field.recover()
  }

  get isDirty() {
    return [...this.fields.values()].some((field) => field.isDirty || field.base !== undefined)
  }

  send(field) {
    this.waiting.add(field)
    this.work()
  }

  async work() {
    if (this.busy) return
    this.busy = true
    try {
      for (let field; (field = this.waiting.values().next().value); ) {
        this.waiting.delete(field)
        if (!(await this.deliver(field))) {
          this.waiting.add(field)
          break
        }
      }
    } finally {
      this.busy = false
    }
  }

  /** Whether the server has answered; if not, it is asked again later. */
  async deliver(field) {
    const value = valueOf(field.control)
    const was = field.base ?? field.was
    if (value === was) {
      field.forget()
      this.settle()
      return true
    }
    this.tell("saving")
    let answer
    try {
      const body = new URLSearchParams({ field: field.name, value, was })
      answer = await fetch(this.url, { method: "POST", body, headers: { "X-CSRFToken": csrf() }, redirect: "manual" })
    } catch {
      return this.later("offline")
    }
    if (answer.status >= 500) return this.later("offline")
    if (answer.type === "opaqueredirect" || answer.status === 401) return this.later("signed-out")
    await this.take(field, value, answer)
    return true
  }

  async take(field, value, answer) {
    this.pause = RETRY
    if (answer.ok) {
      const { values } = await answer.json()
      field.saved(value)
      for (const [name, one] of this.fields) if (name in values) one.refresh(values[name])
      this.element.dispatchEvent(new CustomEvent("autosaved", { bubbles: true, detail: { field: field.name, values } }))
      this.settle()
      return
    }
    field.refused = value
    if (answer.status === 400) {
      field.complain((await answer.json()).reason)
      this.tell("refused")
    } else if (answer.status === 409) {
      const { reason, value: theirs } = await answer.json()
      field.conflict(reason, theirs)
      this.tell("conflict")
    } else {
      field.complain(answer.status === 403 ? say("You may no longer change this.") : say("This is not here any more."))
      this.tell("refused")
    }
  }

  later(state) {
    this.tell(state)
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.work(), this.pause)
    this.pause = Math.min(LONGEST_RETRY, this.pause * 1.5)
    return false
  }

  settle() {
    if (this.waiting.size === 0 && !this.isDirty) this.tell("saved")
  }

  tell(state) {
    if (!this.status) return
    const words = {
      typing: say("Not saved yet"),
      saving: say("Saving …"),
      saved: say("Saved"),
      offline: say("Offline. What you typed is kept in this browser and saved when the connection is back."),
      "signed-out": say("You are signed out. What you typed is kept in this browser; sign in in another tab to save it."),
      refused: say("Not saved: see below."),
      conflict: say("Not saved: somebody else has changed the same."),
    }
    this.status.dataset.state = state
    this.status.textContent = words[state]
  }
}

const forms = new Map()
function begin(root) {
  for (const element of root.querySelectorAll("[data-autosave]")) {
    if (!forms.has(element)) forms.set(element, new Form(element))
  }
  for (const element of forms.keys()) if (!element.isConnected) forms.delete(element)
}

begin(document)
document.addEventListener("htmx:load", (event) => begin(event.detail.elt.parentElement ?? document))
window.addEventListener("online", () => {
  for (const form of forms.values()) form.work()
})
window.addEventListener("beforeunload", (event) => {
  if ([...forms.values()].some((form) => form.isDirty)) event.preventDefault()
})

// What is shown elsewhere on the page follows.
document.addEventListener("autosaved", ({ detail, target }) => {
  for (const place of document.querySelectorAll("[data-shows]")) {
    if (place.dataset.shows in detail.values && !target.closest("tr")) place.textContent = detail.values[place.dataset.shows]
  }
})
