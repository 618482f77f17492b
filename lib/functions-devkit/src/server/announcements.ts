/** Says what holds about something, as lines; a line is printed when it begins to hold. */
export type Announce = (about: string, lines: readonly string[]) => void

/** Returns a function that prints lines: each once, and again after it did not hold meanwhile. */
export function createAnnouncements(print: (line: string) => void): Announce {
  const holding = new Map<string, ReadonlySet<string>>()
  return (about, lines) => {
    const before = holding.get(about)
    holding.set(about, new Set(lines))
    for (const line of lines) if (before?.has(line) !== true) print(line)
  }
}
