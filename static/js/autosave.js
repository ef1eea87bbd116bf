// Fields that save themselves. Inside `[data-autosave=URL]` every control with a name is one field: what is
// typed goes to the URL a moment later, stays in this browser until the server has it, and comes back after a
// lost connection, a closed tab or a sign-out.
import { Drafts } from "./drafts.js"
import { send, SomebodyElse } from "./token.js"
import { say } from "./words.js"

const TYPING = 700
const RETRY = 3000
const LONGEST_RETRY = 30000
const person = document.documentElement.dataset.person
const drafts = new Drafts(person)
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
    this.key = `${form.url} ${this.name}`
    control.addEventListener("input", () => this.typed(TYPING))
    control.addEventListener("change", () => this.typed(0))
  }

  get isDirty() {
    return valueOf(this.control) !== this.was
  }

  /** A text from before that never reached the server is put back, and sent. */
  recover() {
    const kept = drafts.get(this.key)
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
      this.form.isKept = drafts.put(this.key, { value: valueOf(this.control), was: this.base ?? this.was })
      this.form.tell("typing")
    } else this.forget()
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.form.send(this), wait)
  }

  forget() {
    drafts.drop(this.key)
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
  /** @type {boolean} */ isKept
  /** @type {any} */ pause
  /** @type {any} */ fields
  /** @type {any} */ timer

  constructor(element) {
    this.element = element
    this.url = element.dataset.autosave
    this.status = document.querySelector(element.dataset.status ?? "#save-status")
    this.waiting = new Set()
    this.busy = false
    this.isKept = true
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
      answer = await send(this.url, { method: "POST", body, redirect: "manual" }, person)
    } catch (error) {
      return this.later(error instanceof SomebodyElse ? "somebody-else" : "offline")
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
    const kept = this.isKept ? say("What you typed is kept in this browser.") : say("Keep this page open: this browser keeps nothing.")
    const words = {
      typing: say("Not saved yet"),
      saving: say("Saving …"),
      saved: say("Saved"),
      offline: [say("Offline: saved when the connection is back."), kept].join(" "),
      "signed-out": [say("You are signed out: sign in in another tab to save."), kept].join(" "),
      "somebody-else": [say("Somebody else is signed in in this browser now: nothing is saved as theirs."), kept].join(" "),
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
const workAll = () => {
  for (const form of forms.values()) form.work()
}
window.addEventListener("online", workAll)
// Back from the tab of the sign-in, perhaps.
document.addEventListener("visibilitychange", () => document.hidden || workAll())
window.addEventListener("beforeunload", (event) => {
  if ([...forms.values()].some((form) => form.isDirty)) event.preventDefault()
})

// What is shown elsewhere on the page follows.
document.addEventListener("autosaved", ({ detail, target }) => {
  const severity = target.querySelector(".inline-severity")
  if (severity) mark(severity, detail.values.severity)
  for (const place of document.querySelectorAll("[data-shows]")) {
    if (place.dataset.shows in detail.values && !target.closest("tr")) place.textContent = detail.values[place.dataset.shows]
  }
})

/** Shape and colour are those of the severity that is chosen. */
function mark(shown, severity) {
  const marks = [...document.querySelector("#severity-marks").content.children]
  const fits = marks.find((one) => one.dataset.value === severity.toLowerCase()) ?? marks.at(-1)
  shown.className = fits.className
  shown.querySelector("svg").replaceWith(fits.querySelector("svg").cloneNode(true))
}
