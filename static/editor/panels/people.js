// Who is here: avatars, the list with what the host may do, pointers and selections, presenting and following.
import { $, $$, h, keepingFocus } from "../dom.js"
import { say, sayMany } from "../words.js"

// A pointer that rests is taken away after this.
const RESTING = 8_000

export class People {
  /** @type {any} */ editor
  /** @type {any} */ canvas
  /** @type {any} */ overlay
  /** @type {any} */ root
  /** @type {any} */ avatars
  /** @type {any} */ people
  /** @type {any} */ host
  /** @type {any} */ presenter
  /** @type {any} */ following
  /** @type {any} */ hands
  /** What the presenter sees, as far as it was told. @type {any} */ view
  /** Whether the view is being moved for this page. @type {any} */ led

  constructor(editor, canvas, overlay, root, avatars) {
    Object.assign(this, { editor, canvas, overlay, root, avatars, people: [], host: null, presenter: null, following: null, hands: new Set() })
    editor.on("pointer", ({ at }) => this.#sendPointer(at))
    editor.on("selection", () => this.#sendSelection())
    canvas.addEventListener("look", () => {
      // Whoever moves the own view does not follow any more, however it was moved.
      if (!this.led) this.follow(null)
      this.#sendView()
    })
    canvas.host.addEventListener("pointerdown", () => this.follow(null))
  }

  get me() {
    return this.editor.settings.user_id
  }

  get presenting() {
    return this.presenter === this.me
  }

  /** A message of the socket. */
  hear(message) {
    const who = message.user_internal_uuid
    const kind = message.message_type ?? message.event
    if (kind === "participants_update") this.#update(message)
    else if (kind === "current_presenter") this.#present(message.current_presenter)
    else if (kind === "cursor" || kind === "presenter_cursor") this.#pointer(who, message.cursor_position)
    else if (kind === "selection" || kind === "presenter_selection") this.#selected(who, message.selected_cells)
    else if (kind === "presenter_viewport") this.#view(who, message)
    else if (kind === "presenter_request_event") this.#asked(who)
    else if (kind === "presenter_denied") this.#denied()
    else if (kind === "leave") this.#gone(who)
  }

  alone() {
    this.people = []
    // Whoever hosts when one is back may never have been asked.
    this.hands.delete(this.me)
    this.overlay.others.clear()
    this.overlay.later()
    this.draw()
  }

  name = (id) => this.people.find((one) => one.user_internal_uuid === id)?.name ?? say("Somebody")

  follow(id) {
    if (this.following === id) return
    this.following = id
    if (id && this.view) this.#look(this.view)
    this.editor.emit("following", { name: id && this.name(id) })
    this.draw()
  }

  #update({ participants, host, current_presenter: presenter }) {
    this.people = participants
    // Only the host was asked: another one does not know.
    if (host !== this.host) this.hands.delete(this.me)
    this.host = host
    this.hands = new Set([...this.hands].filter((id) => participants.some((one) => one.user_internal_uuid === id)))
    const here = new Set(participants.map((one) => one.user_internal_uuid))
    for (const id of [...this.overlay.others.keys()]) if (!here.has(id)) this.overlay.others.delete(id)
    const own = participants.find((one) => one.user_internal_uuid === this.me)
    if (own) this.editor.emit("role", { role: own.role })
    this.#present(presenter)
    this.overlay.later()
    this.#sendSelection()
  }

  #present(id) {
    const changed = this.presenter !== id
    this.presenter = id
    if (changed) this.view = null
    if (changed && id) this.hands.delete(id)
    // The host presents as long as nobody else does: that alone moves nobody's view.
    if (changed && id && id !== this.me && id !== this.host) this.follow(id)
    else if (changed && this.following !== id) this.follow(null)
    this.#sendView()
    this.draw()
  }

  #gone(id) {
    this.overlay.others.delete(id)
    this.overlay.later()
    if (this.following === id) this.follow(null)
  }

  #other(id) {
    if (!id || id === this.me) return null
    const known = this.people.find((one) => one.user_internal_uuid === id)
    if (!known) return null
    if (!this.overlay.others.has(id)) this.overlay.others.set(id, {})
    return Object.assign(this.overlay.others.get(id), { name: known.name, colour: known.color })
  }

  #pointer(id, at) {
    const other = this.#other(id)
    if (!other) return
    clearTimeout(other.rest)
    other.cursor = at
    other.rest = setTimeout(() => {
      other.cursor = null
      this.overlay.later()
    }, RESTING)
    this.overlay.later()
  }

  #selected(id, cells) {
    const other = this.#other(id)
    if (!other) return
    other.selected = cells
    this.overlay.later()
  }

  #view(id, { x, y, zoom }) {
    if (this.presenter === id) this.view = { x, y, zoom }
    if (this.following === id) this.#look({ x, y, zoom })
  }

  /** The middle of what the presenter sees, at the presenter's zoom. */
  #look({ x, y, zoom }) {
    const { clientWidth: width, clientHeight: height } = this.canvas.host
    this.led = true
    this.canvas.look({ zoom, x: width / 2 - x * zoom, y: height / 2 - y * zoom })
    this.led = false
  }

  #asked(id) {
    this.hands.add(id)
    this.editor.notice(say("%(name)s would like to present.", { name: this.name(id) }))
    this.draw()
  }

  #denied() {
    this.hands.delete(this.me)
    this.editor.notice(say("The host would like to go on without a change of presenter."))
    this.draw()
  }

  #sendPointer(at) {
    if (this.people.length < 2) return
    const kind = this.presenting ? "presenter_cursor" : "cursor"
    this.editor.connection?.sendLatest({ message_type: kind, cursor_position: { x: Math.round(at.x), y: Math.round(at.y) } })
  }

  #sendSelection() {
    const kind = this.presenting ? "presenter_selection" : "selection"
    this.editor.connection?.sendLatest({ message_type: kind, selected_cells: [...this.editor.selection].slice(0, 200) })
  }

  #sendView() {
    if (!this.presenting || this.people.length < 2) return
    const sight = this.canvas.sight()
    const middle = { x: sight.x + sight.width / 2, y: sight.y + sight.height / 2 }
    this.editor.connection?.sendLatest({ message_type: "presenter_viewport", ...middle, zoom: this.canvas.zoom })
  }

  #send(message) {
    return this.editor.connection?.send(message)
  }

  draw() {
    this.#avatars()
    const host = this.host === this.me
    keepingFocus(this.root, () => this.root.replaceChildren(
      h("h2", {}, say("Participants"), " ", h("span", { class: "count" }, String(this.people.length))),
      this.people.length ? h("ul", { class: "people" }, this.people.map((one) => this.#person(one, host))) : h("p", { class: "quiet" }, say("Nobody is connected at the moment.")),
      h("div", { class: "buttons" },
        !this.presenting && !host && this.people.length > 1 ? this.#button(say("Ask to present"), () => this.#raise(), { "aria-pressed": String(this.hands.has(this.me)) }) : null,
        !this.presenting && host ? this.#button(say("Present"), () => this.#send({ message_type: "change_presenter", new_presenter: this.me })) : null,
        (host || this.editor.settings.may_own) && this.people.length > 1 ? this.#button(say("End the session"), () => this.#end()) : null),
      h("p", { class: "quiet" }, say("Whoever presents can be followed: their view is yours until you move your own. The host alone gives the presentation to others and takes it back."))))
  }

  /** A raised hand stays up until the host has answered: there is no message that takes it down. */
  #raise() {
    if (this.hands.has(this.me)) return this.editor.notice(say("The host was asked already, and has not answered yet."))
    if (!this.#send({ message_type: "presenter_request" })) return
    this.hands.add(this.me)
    this.editor.notice(say("The host was asked."))
    this.draw()
  }

  #end() {
    if (confirm(say("End the session for everybody? What was drawn stays."))) this.#send({ message_type: "end_session" })
  }

  #button(title, run, attrs = {}) {
    return h("button", { type: "button", class: "btn btn-quiet btn-sm", onclick: run, ...attrs }, title)
  }

  #person(one, host) {
    const id = one.user_internal_uuid
    const own = id === this.me
    const told = [
      own ? say("you") : null, { owner: say("owner"), writer: say("writer"), reader: say("reader") }[one.role],
      one.is_host ? say("host") : null, id === this.presenter ? say("presents") : null, this.hands.has(id) ? say("would like to present") : null,
    ].filter(Boolean)
    const act = (title, message) => h("button", { type: "button", class: "link", "aria-label": `${title}: ${one.name}`, onclick: () => this.#act(id, message) }, title)
    return h("li", {}, this.#avatar(one),
      h("div", {}, h("strong", {}, one.name), this.hands.has(id) ? this.#hand() : null, h("span", { class: "quiet" }, ` ${told.join(", ")}`),
        h("div", { class: "links" },
          own || id !== this.presenter ? null : h("button", { type: "button", class: "link", "aria-pressed": String(this.following === id), "aria-label": `${say("Follow")}: ${one.name}`, onclick: () => this.follow(this.following === id ? null : id) }, this.following === id ? say("Stop following") : say("Follow")),
          host && !own && id !== this.presenter ? act(say("Make presenter"), { message_type: "change_presenter", new_presenter: id }) : null,
          host && this.hands.has(id) ? act(say("Decline"), { message_type: "presenter_denied", user_internal_uuid: id }) : null,
          host && !own ? act(say("Remove"), { message_type: "remove_participant", user_internal_uuid: id }) : null)))
  }

  #act(id, message) {
    this.hands.delete(id)
    this.#send(message)
    this.draw()
  }

  #hand() {
    const made = h("span", { class: "hand" }, " ")
    made.append(...$$("#people-hands svg").map((drawn) => drawn.cloneNode(true)))
    return made
  }

  #avatar(one) {
    const letters = one.name.split(/\s+/).map((word) => [...word][0]).slice(0, 2).join("").toUpperCase()
    const made = h("span", { class: "avatar", "aria-hidden": "true" }, letters)
    made.style.setProperty("--colour", one.color)
    if (one.user_internal_uuid === this.presenter) made.classList.add("presents")
    return made
  }

  #avatars() {
    const told = sayMany("%(count)s person is here", "%(count)s people are here", this.people.length)
    this.avatars.replaceChildren(...this.people.slice(0, 5).map((one) => {
      const made = this.#avatar(one)
      made.title = one.name
      return made
    }), ...(this.people.length > 5 ? [h("span", { class: "avatar more", "aria-hidden": "true" }, `+${this.people.length - 5}`)] : []), h("span", { class: "visually-hidden" }, told))
    $("#people-hands")?.toggleAttribute("hidden", [...this.hands].every((id) => id === this.me))
  }
}
