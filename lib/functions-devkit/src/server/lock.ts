import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { processIdentity } from './process-identity.ts'

/** What a server says of itself once it is known. */
export interface Announcement {
  readonly address: string
  /** Where its services listen; absent while they are started. */
  readonly ports?: { readonly database: number; readonly redis?: number }
}

/** Who holds a lock. The address is unknown while that process is still starting. */
export interface Holder extends Partial<Announcement> {
  readonly pid: number
  readonly identity: string
}

export type LockAttempt = { readonly outcome: 'locked'; readonly lock: StartLock } | { readonly outcome: 'held'; readonly holder: Holder }

export interface StartLock {
  /** Tells a second start and the command line where this one answers. */
  announce(announcement: Announcement): void
  /** Gives the lock up; synchronous, for the very end of a process. */
  release(): void
}

export interface LockOptions {
  readonly folder: string
  readonly pid?: number
  /** What tells a process from a later one with the same id; undefined for a process that is gone. */
  readonly identityOf?: (pid: number) => string | undefined
}

/** Takes the lock that lets one server run on a data folder. A lock whose process is gone is taken over. */
export function takeLock({ folder, pid = process.pid, identityOf = processIdentity }: LockOptions): LockAttempt {
  const file = join(folder, 'start.lock')
  const draft = `${file}.${pid}`
  const mine: Holder = { pid, identity: identityOf(pid) ?? '' }

  try {
    writeFileSync(draft, JSON.stringify(mine), { mode: 0o600 })
    for (;;) {
      if (tryLink(draft, file)) break
      const holder = readHolder(file)
      if (holder === undefined) continue
      if (isRunning(holder, identityOf)) return { outcome: 'held', holder }
      removeStale(file, holder, `${draft}.stale`)
    }
  } finally {
    rmSync(draft, { force: true })
  }

  return {
    outcome: 'locked',
    lock: {
      announce(announcement) {
        writeFileSync(draft, JSON.stringify({ ...mine, ...announcement }), { mode: 0o600 })
        renameSync(draft, file)
      },
      release() {
        // Whoever deleted the data folder meanwhile may have let another start in: its lock is not ours to remove.
        const holder = readHolder(file)
        if (holder !== undefined && isSame(holder, mine)) rmSync(file, { force: true })
      },
    },
  }
}

/** Who holds the lock of a data folder just now. */
export function lockHolder({ folder, identityOf = processIdentity }: Omit<LockOptions, 'pid'>): Holder | undefined {
  const holder = readHolder(join(folder, 'start.lock'))
  return holder !== undefined && isRunning(holder, identityOf) ? holder : undefined
}

/** Links, unlike renaming, fail when the name is taken: that makes one of two starts the first. */
function tryLink(draft: string, file: string): boolean {
  try {
    linkSync(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/**
 * Removes the lock of a process that is gone, by moving it aside first: another start may have replaced it between
 * our look and this, and then what we moved is a live lock, which goes back.
 */
function removeStale(file: string, stale: Holder, aside: string): void {
  try {
    renameSync(file, aside)
  } catch (error) {
    if (isMissing(error)) return
    throw error
  }
  const moved = readHolder(aside)
  if (moved !== undefined && !isSame(moved, stale)) tryLink(aside, file)
  rmSync(aside, { force: true })
}

function readHolder(file: string): Holder | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
  try {
    return JSON.parse(text) as Holder
  } catch {
    // Locks appear complete, so this is none of ours: as good as one whose process is gone.
    return { pid: 0, identity: '' }
  }
}

function isRunning(holder: Holder, identityOf: (pid: number) => string | undefined): boolean {
  const identity = Number.isInteger(holder.pid) && holder.pid > 0 ? identityOf(holder.pid) : undefined
  return identity !== undefined && identity === holder.identity
}

function isSame(one: Holder, other: Holder): boolean {
  return one.pid === other.pid && one.identity === other.identity
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}
