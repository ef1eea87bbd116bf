// Which places are taken, so that labels keep clear of them: threatmodels/pictures/room.py, with places given back.
import { bottom, right, shared } from "./geometry.js"

const SQUARE = 256
// No label gets around what is larger than this.
const LARGEST = 1024
const CROWD = 48

export class Room {
  /** @type {any} */ squares
  /** @type {any} */ owned

  constructor() {
    this.squares = new Map()
    this.owned = new Map()
  }

  /** `owner` has this box from now on, and no other; null takes it away. */
  put(owner, area) {
    const old = this.owned.get(owner)
    if (old) for (const square of squares(old)) this.squares.get(square)?.delete(owner)
    this.owned.delete(owner)
    if (!area || Math.max(area.width, area.height) > LARGEST) return
    this.owned.set(owner, area)
    for (const square of squares(area)) {
      if (!this.squares.has(square)) this.squares.set(square, new Map())
      this.squares.get(square).set(owner, area)
    }
  }

  covered(place) {
    const near = new Map()
    for (const square of squares(place)) {
      let left = CROWD
      for (const [owner, area] of this.squares.get(square) ?? []) {
        if ((left -= 1) < 0) break
        near.set(owner, area)
      }
    }
    let sum = 0
    for (const area of near.values()) sum += shared(place, area)
    return sum
  }

  /** The first of the places that is free, else the one that covers least. */
  best(places) {
    let [found, least] = [null, Infinity]
    for (const place of places) {
      const covered = this.covered(place)
      if (covered === 0) return place
      if (covered < least) [found, least] = [place, covered]
    }
    return found
  }
}

function squares(area) {
  const found = []
  for (let column = Math.floor(area.x / SQUARE); column <= Math.floor(right(area) / SQUARE); column += 1) {
    for (let row = Math.floor(area.y / SQUARE); row <= Math.floor(bottom(area) / SQUARE); row += 1) {
      found.push(`${column}:${row}`)
    }
  }
  return found
}
