/** Kinds that have begun, and kinds that are over. */
export interface Changes {
  readonly raised: readonly string[]
  readonly cleared: readonly string[]
}

/** Remembers what was said, so that it is said once. */
export interface AlertMemory {
  /** Takes note of how things stand, and gives those of them that nobody had said before. */
  settle(stand: Changes): Promise<Changes>
  /** How often in a row `kind` was met, this time included; 0 forgets it. Not every memory can tell. */
  strike?(kind: string, met: boolean): Promise<number>
  /** Whether this is the first time for so long, in ms. Not every memory can tell. */
  isFirst?(code: string, forMs: number): Promise<boolean>
}

// What a sender makes up must not fill the memory.
const MOST_CODES = 1_000

/** What one container remembers, which is little: others know nothing of it, and it may be gone with the next call. */
export function createContainerMemory({ now = Date.now }: { now?: () => number } = {}): Required<AlertMemory> {
  const raised = new Set<string>()
  const strikes = new Map<string, number>()
  const saidUntil = new Map<string, number>()
  return {
    async settle(stand) {
      const fresh = stand.raised.filter(kind => !raised.has(kind))
      for (const kind of fresh) raised.add(kind)
      return { raised: fresh, cleared: stand.cleared.filter(kind => raised.delete(kind)) }
    },
    async strike(kind, met) {
      const count = met ? (strikes.get(kind) ?? 0) + 1 : 0
      strikes.set(kind, count)
      return count
    },
    async isFirst(code, forMs) {
      const until = saidUntil.get(code)
      const first = until === undefined || now() >= until || until - now() > forMs
      if (saidUntil.size >= MOST_CODES) saidUntil.clear()
      if (first) saidUntil.set(code, now() + forMs)
      return first
    },
  }
}

/**
 * Asks the first of several memories that answers; what begins and what is over, those after it are told as well, so that
 * neither is said again, nor a later beginning taken for said, when the first one is lost. What was remembered in the container only because none of the others
 * did is handed over to them as soon as one does: it is not said again.
 */
export function createLayeredMemory(durable: readonly AlertMemory[], container = createContainerMemory()): Required<AlertMemory> {
  async function first<Result>(ask: (memory: AlertMemory) => Promise<Result> | undefined): Promise<{ answer: Result } | undefined> {
    for (const memory of durable) {
      try {
        const answer = await ask(memory)
        if (answer !== undefined) return { answer }
      } catch {
        // The next one is asked.
      }
    }
    return undefined
  }
  // Only one of several containers is the first to tell a memory of something: it alone goes on to the next memory.
  async function inAll({ raised, cleared }: Changes): Promise<Changes | undefined> {
    const over = new Set<string>()
    let fresh = raised
    let answered = false
    for (const memory of durable) {
      try {
        const told = await memory.settle({ raised: fresh, cleared })
        answered = true
        fresh = told.raised
        for (const kind of told.cleared) over.add(kind)
      } catch {
        // The next one is asked.
      }
    }
    return answered ? { raised: fresh, cleared: [...over] } : undefined
  }
  return {
    async settle(stand) {
      const told = await inAll(stand)
      if (told === undefined) return container.settle(stand)
      const said = await container.settle({ raised: [], cleared: [...stand.raised, ...stand.cleared] })
      return {
        raised: told.raised.filter(kind => !said.cleared.includes(kind)),
        cleared: stand.cleared.filter(kind => told.cleared.includes(kind) || said.cleared.includes(kind)),
      }
    },
    async strike(kind, met) {
      const own = await container.strike(kind, met)
      const told = await first(memory => memory.strike?.(kind, met))
      return told?.answer ?? own
    },
    async isFirst(code, forMs) {
      const told = await first(memory => memory.isFirst?.(code, forMs))
      return told?.answer ?? container.isFirst(code, forMs)
    },
  }
}
