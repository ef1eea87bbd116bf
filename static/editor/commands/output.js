// Files of the diagram: SVG (text stays text), PNG, JSON. Of the selection, where there is one with shapes.
import { THEMES } from "../draw/look.js"
import { Scene } from "../draw/scene.js"
import { h } from "../dom.js"
import { say } from "../words.js"

// Browsers draw no larger pictures.
const LARGEST_SIDE = 16_000

export function svg(editor) {
  save(editor, "svg", "image/svg+xml", drawing(editor))
}

export async function png(editor) {
  const source = drawing(editor)
  const image = new Image()
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`
  try {
    await image.decode()
  } catch {
    return editor.notice(say("The picture could not be drawn. Export it as SVG."), "warning")
  }
  const scale = Math.min(2, LARGEST_SIDE / Math.max(image.naturalWidth, image.naturalHeight))
  const canvas = h("canvas")
  canvas.width = Math.round(image.naturalWidth * scale)
  canvas.height = Math.round(image.naturalHeight * scale)
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height)
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"))
  if (blob) save(editor, "png", "image/png", blob)
}

export function json(editor) {
  const { diagram_id: id, diagram_name: name } = editor.settings
  const value = { id, name, type: "DFD-1.0.0", diagram_data: { cells: editor.state.listed() } }
  save(editor, "json", "application/json", JSON.stringify(value, null, 2))
}

/** In light colours, whatever the page has: files are printed and sent. */
function drawing(editor) {
  const scene = new Scene(THEMES.light)
  scene.badges = editor.badges ?? new Map()
  scene.put(editor.state.cells.entries())
  return scene.document(editor.settings.diagram_name)
}

function save(editor, ending, type, content) {
  const url = URL.createObjectURL(new Blob([content], { type }))
  const name = editor.settings.diagram_name.replace(/[^\p{L}\p{N} ._-]+/gu, "_").slice(0, 80).trim() || "diagram"
  h("a", { href: url, download: `${name}.${ending}` }).click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
  editor.tell(say("Exported"))
}
