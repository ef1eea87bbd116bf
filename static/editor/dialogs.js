// Dialogs: the list of keys, finding an element, the command palette.
import { h } from "./dom.js"
import { shown } from "./keyboard.js"
import { KINDS, say } from "./words.js"

const MOST_FOUND = 100

function dialog(title, ...content) {
  const made = h("dialog", { class: "dialog", "aria-label": title, onclose: () => made.remove() }, ...content)
  made.addEventListener("click", (event) => event.target === made && made.close())
  document.body.append(made)
  made.showModal()
  return made
}

export function help(commands) {
  const groups = [["tools", say("Tools")], ["edit", say("Editing")], ["navigate", say("Going around")], ["arrange", say("Arranging")], ["view", say("View")]]
  const keys = (combination) => shown(combination).flatMap((key, index) => [index ? "+" : "", h("kbd", {}, key)])
  // The four directions are one line each.
  const arrows = (prefix) => [...(prefix ? [h("kbd", {}, shown(prefix)[0]), "+"] : []), ...["←", "↑", "→", "↓"].map((key) => h("kbd", {}, key))]
  const directions = {
    edit: [["", say("Move the selection, or the view")], ["shift", say("Move by one")], ["mod", say("Connect a new element there")]],
    navigate: [["alt", say("Go along the flows")]],
  }
  const listed = (group) => commands.filter((one) => one.group === group && one.keys.length && !/^(nudge|walk|grow)\./.test(one.id))
  const row = (command) => [h("dt", {}, ...command.keys.flatMap((one, index) => [index ? ` ${say("or")} ` : "", ...keys(one)])), h("dd", {}, command.title)]
  const made = dialog(say("Keyboard shortcuts"),
    h("div", { class: "dialog-head" }, h("h2", {}, say("Keyboard shortcuts")), h("button", { type: "button", class: "tiny", "aria-label": say("Close"), onclick: () => made.close() }, "×")),
    h("div", { class: "keys", tabindex: "0" },
      groups.map(([group, title]) => h("section", {}, h("h3", {}, title), h("dl", {}, listed(group).flatMap(row),
        (directions[group] ?? []).flatMap(([prefix, title]) => [h("dt", {}, ...arrows(prefix)), h("dd", {}, title)]),
        group === "edit" ? [h("dt", {}, h("kbd", {}, "Esc")), h("dd", {}, say("Leave what is going on: the name, the tool, the selection"))] : []))),
      h("section", {}, h("h3", {}, say("With the pointer")), h("dl", {},
        [[say("Space + drag"), say("Move the view")], [say("Ctrl + wheel"), say("Zoom")], [say("Shift + click"), say("Add to the selection")],
          [say("Alt + drag"), say("Move without snapping")], [say("Double click"), say("Edit the name")], [say("Drag a flow"), say("Bend it; double click on the bend removes it")]]
          .flatMap(([how, what]) => [h("dt", {}, how), h("dd", {}, what)])))))
}

/** A field with a list below it: type, go up and down, Enter. `search(text)` answers [{title, more, run}]. */
function chooser(title, search) {
  let found = []
  let at = 0
  const list = h("ul", { role: "listbox", id: "chooser-list", "aria-label": title })
  const mark = () => {
    for (const [index, item] of [...list.children].entries()) {
      item.setAttribute("aria-selected", String(index === at))
      if (index === at) item.scrollIntoView({ block: "nearest" })
    }
    if (found.length) field.setAttribute("aria-activedescendant", `choice-${at}`)
    else field.removeAttribute("aria-activedescendant")
  }
  const draw = () => {
    const wanted = field.value.trim().toLowerCase()
    found = ranked(search(wanted), wanted).slice(0, MOST_FOUND)
    at = 0
    list.replaceChildren(...found.map((one, index) => h("li", { role: "option", id: `choice-${index}`, onclick: () => take(index) }, h("span", {}, one.title), one.more ?? "")))
    empty.hidden = found.length > 0
    mark()
  }
  const take = (index) => {
    made.close()
    found[index]?.run()
  }
  const key = (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      at = (at + (event.key === "ArrowDown" ? 1 : -1) + found.length) % (found.length || 1)
      mark()
    } else if (event.key === "Enter") take(at)
    else return
    event.preventDefault()
  }
  const field = h("input", { class: "form-control", type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "chooser-list", "aria-label": title, placeholder: title, autocomplete: "off", spellcheck: "false", oninput: draw, onkeydown: key })
  const empty = h("p", { class: "quiet", role: "status" }, say("Nothing found"))
  const made = dialog(title, field, list, empty)
  made.classList.add("chooser")
  draw()
  field.focus()
}

/** What begins with the wanted text comes first. */
const ranked = (found, wanted) => {
  const rank = ({ title }) => (title.toLowerCase().startsWith(wanted) ? 0 : title.toLowerCase().split(/\s+/).some((word) => word.startsWith(wanted)) ? 1 : 2)
  return [...found].sort((a, b) => rank(a) - rank(b))
}

const matches = (text, wanted) => wanted.split(/\s+/).every((word) => text.toLowerCase().includes(word))

export function palette(commands) {
  const usable = commands.filter((one) => one.enabled() && !["palette", "draw"].includes(one.id))
  chooser(say("Command"), (text) =>
    usable.filter((one) => matches(one.title, text)).map((one) => ({ title: one.title, run: one.run, more: one.keys.length ? h("kbd", {}, shown(one.keys[0]).join("+")) : null })))
}

export function find(editor, reveal) {
  const kinds = KINDS()
  const all = editor.state.listed().map((cell) => ({ id: cell.id, title: editor.name(cell.id), kind: kinds[cell.type] ?? cell.type }))
  all.sort((a, b) => a.title.localeCompare(b.title))
  chooser(say("Find an element"), (text) =>
    all.filter((one) => matches(`${one.title} ${one.kind}`, text)).map((one) => ({ title: one.title, more: h("span", { class: "quiet" }, one.kind), run: () => reveal(one.id) })))
}
