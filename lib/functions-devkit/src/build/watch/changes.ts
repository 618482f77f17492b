import { statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ChangesOptions {
  /** Those to look at now: files and folders. */
  readonly paths: () => Iterable<string>
  /** Called with the paths that have changed; the next look waits for it. */
  readonly onChange: (paths: ReadonlySet<string>) => Promise<void>
  /** Epoch ms: what changed later, and was read before the first look, counts as changed. */
  readonly since: number
  readonly everyMs?: number
  /** How long a file has to stay as it is to count as written. */
  readonly settleMs?: number
}

export interface Changes {
  end(): void
}

// Looking costs some µs for each file. Notices of the system are lost on shared and network folders, and run out on large checkouts.
const EVERY_MS = 150
const SETTLE_MS = 30
// File systems stamp with the time of the last tick of their clock.
const TICK_MS = 20
// A file that is written without a pause counts as written after this.
const MOST_SETTLING = 20

/** Looks for files that change, and tells of them when they are written. */
export function followChanges({ paths, onChange, since, everyMs = EVERY_MS, settleMs = SETTLE_MS }: ChangesOptions): Changes {
  const marks = new Map<string, string>()
  let ended = false
  let lookedAt = since - TICK_MS

  // What is new to us counts as changed when it changed after the last look: the build may have read it as it was before.
  function look(): Set<string> {
    const changed = new Set<string>()
    const began = Date.now()
    for (const path of paths()) {
      const mark = markOf(path)
      const before = marks.get(path)
      if (before === undefined ? modifiedAt(mark) >= lookedAt : before !== mark) changed.add(path)
      marks.set(path, mark)
    }
    lookedAt = began - TICK_MS
    return changed
  }

  async function settled(changed: Set<string>): Promise<Set<string>> {
    for (let tries = 0; tries < MOST_SETTLING; tries += 1) {
      await sleep(settleMs)
      const more = look()
      if (more.size === 0) break
      for (const path of more) changed.add(path)
    }
    return changed
  }

  async function follow(): Promise<void> {
    for (;;) {
      await sleep(everyMs)
      if (ended) return
      const changed = look()
      if (changed.size > 0) await onChange(await settled(changed))
    }
  }
  void follow()
  return { end: () => void (ended = true) }
}

function markOf(path: string): string {
  try {
    const found = statSync(path, { throwIfNoEntry: false })
    return found === undefined ? 'missing' : [found.mtimeMs, found.size, found.ino].join(':')
  } catch {
    // A folder that may not be entered must not end the looks.
    return 'missing'
  }
}

function modifiedAt(mark: string): number {
  return mark === 'missing' ? 0 : Number(mark.split(':')[0])
}
