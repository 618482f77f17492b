import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { processIdentity } from '../process-identity.ts'
import { killGroup } from './process-group.ts'

/** The containers of this process, on disk too: a paused one cannot notice that this process is gone. */
export interface ContainerRecords {
  add(pid: number): void
  remove(pid: number): void
  /** Ends every container without waiting. */
  killAll(): void
}

const LOOK_AGAIN_MS = 10
const LONGEST_END_MS = 5_000

/** Opens the records in a folder. What is on record when this process ends is ended with it. */
export function openRecords(folder: string, identityOf: (pid: number) => string | undefined = processIdentity): ContainerRecords {
  mkdirSync(folder, { recursive: true })
  const pids = new Set<number>()
  const fileOf = (pid: number) => join(folder, String(pid))
  const remove = (pid: number) => {
    if (pids.delete(pid)) rmSync(fileOf(pid), { force: true })
  }
  const killAll = () => {
    for (const pid of pids) {
      killGroup(pid, 'SIGKILL')
      remove(pid)
    }
    process.off('exit', killAll)
  }
  return {
    add(pid) {
      const identity = identityOf(pid)
      // Ended already.
      if (identity === undefined) return
      if (pids.size === 0) process.on('exit', killAll)
      pids.add(pid)
      writeFileSync(fileOf(pid), identity)
    },
    remove(pid) {
      remove(pid)
      if (pids.size === 0) process.off('exit', killAll)
    },
    killAll,
  }
}

/**
 * Ends the containers on record in a folder: those that an earlier process left when it was killed. A process that has the id of one
 * by now is left alone. Returns how many were ended.
 */
export async function endLeftovers(folder: string, identityOf: (pid: number) => string | undefined = processIdentity): Promise<number> {
  mkdirSync(folder, { recursive: true })
  const leftovers = readdirSync(folder)
    .map(name => ({ pid: Number(name), identity: readFileSync(join(folder, name), 'utf8') }))
    .filter(({ pid, identity }) => Number.isInteger(pid) && pid > 0 && identity !== '' && identityOf(pid) === identity)
  for (const { pid } of leftovers) killGroup(pid, 'SIGKILL')
  const until = performance.now() + LONGEST_END_MS
  for (const { pid, identity } of leftovers) {
    while (identityOf(pid) === identity) {
      if (performance.now() > until) throw new Error(`A container of an earlier npm start does not end: kill process ${pid}`)
      await sleep(LOOK_AGAIN_MS)
    }
  }
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { force: true })
  return leftovers.length
}
