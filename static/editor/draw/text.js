// Text that must fit a shape, broken where threatmodels/pictures/text.py breaks it. Pure: widths are estimates.

const ELLIPSIS = "…"
const [NARROW, USUAL, BROAD, FULL] = [0.3, 0.54, 0.72, 1]
export const LINE_HEIGHT = 1.25
const LONGEST = 2000

const NARROW_ONES = new Set("iljtfrI.,:;'|!()[] ")
const BROAD_ONES = new Set("mwMW@%&")
const COMBINING = /\p{Mn}|\p{Mc}/u
const WIDE = /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/

const shares = new Map()

function share(character) {
  let known = shares.get(character)
  if (known === undefined) {
    known = measured(character)
    if (shares.size < 4000) shares.set(character, known)
  }
  return known
}

function measured(character) {
  if (NARROW_ONES.has(character)) return NARROW
  if (COMBINING.test(character)) return 0
  if (WIDE.test(character) || character.codePointAt(0) > 0x1f000) return FULL
  const upper = character.toUpperCase() === character && character.toLowerCase() !== character
  return upper || BROAD_ONES.has(character) ? BROAD : USUAL
}

/** About how wide the text is in one line. */
export function width(text, size) {
  let sum = 0
  for (const character of text) sum += share(character)
  return sum * size
}

/** The text in lines that fit; what does not fit ends in an ellipsis. */
export function wrap(text, mostWidth, mostLines, size) {
  let lines = []
  for (const paragraph of text.slice(0, LONGEST).split("\n")) {
    lines.push(...wrapped(paragraph.split(/\s+/).filter(Boolean), mostWidth, size))
    if (lines.length > mostLines) break
  }
  if (lines.length && (lines.length > mostLines || text.length > LONGEST)) {
    lines = lines.slice(0, mostLines)
    lines.push(shortened(lines.pop() + ELLIPSIS, mostWidth, size))
  }
  return lines
}

function wrapped(words, most, size) {
  const lines = []
  let line = ""
  for (const word of words.flatMap((whole) => pieces(whole, most, size))) {
    const longer = line ? `${line} ${word}` : word
    if (line && width(longer, size) > most) {
      lines.push(line)
      line = word
    } else line = longer
  }
  return line ? [...lines, line] : lines
}

function pieces(word, most, size) {
  if (width(word, size) <= most) return [word]
  const found = []
  let piece = ""
  for (const character of word) {
    if (piece && width(piece + character, size) > most) {
      found.push(piece)
      piece = ""
    }
    piece += character
  }
  return [...found, piece]
}

function shortened(line, most, size) {
  let characters = [...line]
  while (characters.length > 2 && width(characters.join(""), size) > most) {
    characters = [...characters.slice(0, -2).join("").trimEnd(), ELLIPSIS]
  }
  return characters.join("")
}
