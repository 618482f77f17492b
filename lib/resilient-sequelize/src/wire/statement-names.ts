// So many statements of one session the server keeps parsed; what is made up for each call does not come again.
const MOST_NAMES = 100
const MOST_TEXTS = 1_000

interface Known {
  readonly name: string
  /** Whether the server has answered it under this name. */
  parsed: boolean
}

/**
 * Names for the statements of one session: what comes a second time is parsed under a name, and planned no more once it
 * came a few times. Only for sessions of one's own, since a pooler's next transaction may find another's.
 */
export class StatementNames {
  readonly #seen = new Set<string>()
  readonly #known = new Map<string, Known>()
  #given = 0

  /** The name of a statement; `undefined` for one that is to be sent without. */
  of(text: string): string | undefined {
    const known = this.#known.get(text)
    if (known !== undefined) return known.name
    if (!this.#seen.has(text)) {
      if (this.#seen.size < MOST_TEXTS) this.#seen.add(text)
      return undefined
    }
    if (this.#given >= MOST_NAMES) return undefined
    this.#given += 1
    const name = `named_${this.#given}`
    this.#known.set(text, { name, parsed: false })
    return name
  }

  /** Takes note of how a named statement ended. A name that failed at first is not used again: nobody knows what it stands for. */
  settle(text: string, answered: boolean): void {
    const known = this.#known.get(text)
    if (known === undefined) return
    if (answered) known.parsed = true
    else if (!known.parsed) this.#known.delete(text)
  }
}
