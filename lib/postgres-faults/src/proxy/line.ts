/**
 * One direction of a connection: lets things pass in the order they came, each after the delay, and none while it is
 * held. What is "passed" is a call, so that data, the end of it and steps of the negotiation keep their order.
 */
export class Line {
  readonly #delayMs: () => number
  #queue: { dueAt: number; pass: () => void }[] = []
  #timer: NodeJS.Timeout | undefined
  #held = false
  #closed = false

  constructor(delayMs: () => number) {
    this.#delayMs = delayMs
  }

  /** Puts something on its way; `extraMs` keeps it back for longer, and with it everything behind it. */
  push(pass: () => void, extraMs = 0): void {
    if (this.#closed) return
    this.#queue.push({ dueAt: performance.now() + this.#delayMs() + extraMs, pass })
    this.#advance()
  }

  /** Stops everything that is on its way, and what will be pushed later, until `release`. */
  hold(): void {
    this.#held = true
  }

  release(): void {
    this.#held = false
    this.#advance()
  }

  /** Drops what is on its way and whatever is pushed later. */
  close(): void {
    this.#closed = true
    this.#queue = []
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #advance(): void {
    while (!this.#held && this.#timer === undefined) {
      const next = this.#queue[0]
      if (next === undefined) return
      const waitMs = next.dueAt - performance.now()
      if (waitMs > 0) {
        this.#timer = setTimeout(() => {
          this.#timer = undefined
          this.#advance()
        }, Math.ceil(waitMs))
        return
      }
      this.#queue.shift()
      next.pass()
    }
  }
}
