"""A browser whose frames, requests and messages are late now and then, as on a busy machine or a poor line.

`JITTER=7 make test ARGS=tests/e2e` runs the tests of the pages so; another number is other delays. What holds
only while everything is quick fails there: a test that reads too early, or a page that counts on an order
that nobody promised.
"""

from __future__ import annotations

import os

from playwright.sync_api import BrowserContext

# Order is kept where it is promised: within a socket, and of the callbacks of a frame.
SCRIPT = """(() => {
  let state = SEED
  const chance = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const late = (share, most) => (chance() < share ? chance() * most : 0)
  const sleep = (ms) => new Promise((done) => setTimeout(done, ms))

  const frame = window.requestAnimationFrame.bind(window)
  let queue = new Map()
  let last = 0
  const run = (now) => {
    const due = queue
    queue = new Map()
    for (const act of due.values()) {
      try { act(now) } catch (error) { reportError(error) }
    }
  }
  window.requestAnimationFrame = (act) => {
    if (!queue.size) {
      const wait = late(0.3, 120)
      if (wait) setTimeout(() => frame(run), wait)
      else frame(run)
    }
    queue.set(++last, act)
    return last
  }
  window.cancelAnimationFrame = (id) => queue.delete(id)

  const fetched = window.fetch.bind(window)
  window.fetch = async (url, options) => {
    if (options?.keepalive) return fetched(url, options)
    await sleep(late(0.5, 150))
    const answer = await fetched(url, options)
    await sleep(late(0.5, 250))
    return answer
  }

  const Real = window.WebSocket
  window.WebSocket = class extends Real {
    #in = Promise.resolve()
    #out = []
    #told = null
    #closed = null

    constructor(...args) {
      super(...args)
      this.addEventListener("message", (event) => this.#later(() => this.#told?.call(this, event)))
      this.addEventListener("close", (event) => this.#later(() => this.#closed?.call(this, event)))
    }

    #later(act) {
      const wait = late(0.5, 200)
      this.#in = this.#in.then(() => (wait ? sleep(wait) : undefined)).then(act).catch(reportError)
    }

    set onmessage(act) { this.#told = act }
    set onclose(act) { this.#closed = act }

    send(data) {
      const wait = late(0.5, 200)
      if (!wait && !this.#out.length) return super.send(data)
      this.#out.push(data)
      if (this.#out.length === 1) setTimeout(() => this.#flush(), wait)
    }

    #flush() {
      const out = this.#out
      this.#out = []
      if (this.readyState === 1) for (const data of out) super.send(data)
    }

    close(...args) {
      this.#flush()
      super.close(...args)
    }
  }
})()"""


def disturb(context: BrowserContext) -> None:
    """Makes the pages of this context late, if `JITTER` is set."""
    if seed := os.environ.get("JITTER"):
        context.add_init_script(SCRIPT.replace("SEED", str(int(seed))))
