import assert from "node:assert/strict"
import { test } from "node:test"
import { Scene } from "../../static/editor/draw/scene.js"
import { badgeMark } from "../../static/editor/draw/badges.js"
import { toSource } from "../../static/editor/draw/markup.js"
import { THEMES } from "../../static/editor/draw/look.js"
import { wrap, width } from "../../static/editor/draw/text.js"

const box = (id, x, y, more = {}) => [id, {
  id, type: "process", properties: { label: id }, position: { x, y }, size: { width: 100, height: 60 }, ...more,
}]
const flow = (id, source, target, more = {}) => [id, {
  id, type: "data_flow", properties: { label: id }, source: { cell: source }, target: { cell: target }, ...more,
}]
const scene = (...cells) => {
  const made = new Scene(THEMES.light)
  made.put(cells)
  return made
}

test("a flow runs from outline to outline, and from the port that it names", () => {
  const made = scene(box("a", 0, 0), box("b", 300, 0), flow("f", "a", "b"), flow("g", "b", "a", { vertices: [{ x: 200, y: 200 }], source: { cell: "b", port: "bottom" } }))
  assert.deepEqual(made.routes.get("f"), [{ x: 100, y: 30 }, { x: 300, y: 30 }])
  assert.deepEqual(made.routes.get("g")[0], { x: 350, y: 60 })
})

test("parallel flows and loops are drawn apart, and a flow left alone is straight again", () => {
  const made = scene(box("a", 0, 0), box("b", 300, 0), flow("f", "a", "b"), flow("g", "b", "a"), flow("l", "a", "a"), flow("m", "a", "a"))
  const middle = (id) => made.routes.get(id)[6].y
  assert.ok(Math.abs(middle("f") - middle("g")) > 20)
  assert.notDeepEqual(made.routes.get("l"), made.routes.get("m"))
  assert.deepEqual([...made.put([["g", null]])].sort(), ["f", "g"])
  assert.equal(made.routes.get("f").length, 2)
})

test("parallel flows keep their places, whichever was changed last", () => {
  const made = scene(box("a", 0, 0), box("b", 300, 0), flow("f", "a", "b"), flow("g", "b", "a"))
  const before = ["f", "g"].map((id) => made.routes.get(id))
  made.put([flow("f", "a", "b", { properties: { label: "renamed" } })])
  assert.deepEqual(["f", "g"].map((id) => made.routes.get(id)), before)
})

test("flows follow what is dragged, and what ends on a missing cell is not drawn", () => {
  const made = scene(box("a", 0, 0), box("b", 300, 0), flow("f", "a", "b"))
  assert.deepEqual([...made.move([["b", { x: 300, y: 200, width: 100, height: 60 }]])], ["f"])
  assert.ok(made.routes.get("f")[1].y > 100)
  made.put([["b", null]])
  assert.equal(made.routes.get("f"), undefined)
  assert.equal(made.draw("f"), null)
})

test("labels keep clear of each other", () => {
  const made = scene(box("a", 0, 0), box("b", 300, 0), box("c", 150, -200), box("d", 150, 200), flow("across", "a", "b"), flow("down", "c", "d"))
  const [one, two] = ["across", "down"].map((id) => made.labels.get(id).place)
  assert.ok(one.x + one.width <= two.x || two.x + two.width <= one.x || one.y + one.height <= two.y || two.y + two.height <= one.y)
})

test("labels are text in the file, whatever they hold", () => {
  const made = scene(box("a", 0, 0, { properties: { label: "<script>alert(1)</script> & \"\u0001" } }))
  const source = made.document("<b>")
  assert.ok(!/<script|<b>/.test(source))
  assert.ok(source.includes("&lt;script&gt;"))
})

test("a type that nobody knows is a box", () => {
  const made = scene(box("a", 0, 0, { type: "queue" }))
  assert.match(made.document(""), /data-kind="queue".*<rect/)
})

test("text breaks where it is full and ends in an ellipsis", () => {
  const lines = wrap("The quick brown fox jumps over the lazy dog", 80, 2, 13)
  assert.equal(lines.length, 2)
  assert.ok(lines[1].endsWith("…"))
  assert.ok(lines.every((line) => width(line, 13) <= 80))
})

test("every severity has a shape of its own", () => {
  const outline = (severity) => toSource(badgeMark({ x: 0, y: 0 }, { count: 1, severity }, THEMES.light)).match(/points="[^"]*"|<circle/)[0]
  const shapes = ["critical", "high", "medium", "low", "informational", "unknown"].map(outline)
  assert.equal(new Set(shapes).size, 6)
  assert.equal(outline("a word of one's own"), outline("unknown"))
})

test("what is equally far in front lies by its id, texts before others; boundaries, shapes and flows never mix", () => {
  const around = (id, by) => box(id, -by, -by, { type: "trust_boundary", size: { width: 100 + 2 * by, height: 60 + 2 * by } })
  const cells = [
    flow("f", "a", "b"), box("t", 0, 0, { type: "text" }), box("b", 10, 0), box("a", 5, 0), box("up", 0, 0, { z: 1 }),
    box("far up", 0, 0, { z: 2 ** 40 }), box("far down", 0, 0, { z: -(2 ** 40) }), around("small", 50), around("large", 90),
  ]
  const order = ["large", "small", "far down", "a", "b", "t", "up", "far up", "f"]
  assert.deepEqual(scene(...cells).stacked(), order)
  assert.deepEqual(scene(...cells.reverse()).stacked(), order)
})

test("the level above an area is that above the shapes in it", () => {
  const made = scene(box("a", 0, 0, { z: 3 }), box("b", 300, 0), box("around", -50, -50, { type: "trust_boundary", size: { width: 500, height: 300 } }))
  const at = (x) => made.above({ x, y: 0, width: 50, height: 50 })
  assert.deepEqual([at(0), at(300), at(150)], [4, 1, null])
})
