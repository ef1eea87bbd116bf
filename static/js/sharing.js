// Who has which role is saved as it is chosen; without scripts there are buttons for it.
import { send } from "./token.js"
import { say } from "./words.js"

// Arrow keys pass over roles that nobody means to give.
const PASSING = 600
const person = document.documentElement.dataset.person
const status = document.querySelector("#save-status")

function tell(state, words) {
  status.dataset.state = state
  status.textContent = words
}

/** A role, or a switch with the role behind it; what is not saved is put back. */
class Choice {
  /** @type {any} */ form
  /** @type {any} */ controls
  /** @type {any} */ was
  /** @type {any} */ timer
  /** @type {boolean} */ busy

  constructor(form) {
    this.form = form
    this.controls = [...form.querySelectorAll("input[type=checkbox], select")]
    this.was = this.values
    this.busy = false
    form.addEventListener("change", () => this.chosen())
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.save()
    })
  }

  /** The role behind a switch that is off is nobody's yet. */
  get values() {
    const values = this.controls.map((control) => (control.type === "checkbox" ? control.checked : control.value))
    return values[0] === false ? [false] : values
  }

  get isDirty() {
    return String(this.values) !== String(this.was)
  }

  chosen() {
    clearTimeout(this.timer)
    if (!this.isDirty) return
    tell("typing", say("Not saved yet"))
    this.timer = setTimeout(() => this.save(), PASSING)
  }

  async save() {
    if (this.busy) return
    this.busy = true
    let wrong = ""
    while (this.isDirty && !wrong) {
      tell("saving", say("Saving …"))
      const sent = this.values
      wrong = await this.problem().catch(() => say("Not saved: the server cannot be reached."))
      if (!wrong) this.was = sent
    }
    this.busy = false
    if (wrong) this.putBack()
    tell(wrong ? "refused" : "saved", wrong || say("Saved"))
  }

  /** Why the server did not take it; empty if it did. */
  async problem() {
    const body = new URLSearchParams(/** @type {any} */ (new FormData(this.form)))
    const headers = { Accept: "application/json" }
    const answer = await send(this.form.action, { method: "POST", body, headers, redirect: "manual" }, person)
    if (answer.type === "opaqueredirect") return say("Not saved: you are signed out.")
    if (!answer.ok) return say("Not saved: load the page again to see who has access now.")
    const { said } = await answer.json()
    for (const place of this.form.parentElement.querySelectorAll("[data-said]")) place.textContent = said
    return ""
  }

  putBack() {
    for (const [place, value] of this.was.entries()) {
      const control = this.controls[place]
      if (control.type === "checkbox") control.checked = value
      else control.value = value
    }
  }
}

const choices = [...document.querySelectorAll("form[data-choice]")].map((form) => new Choice(form))
window.addEventListener("beforeunload", (event) => {
  if (choices.some((choice) => choice.isDirty)) event.preventDefault()
})
