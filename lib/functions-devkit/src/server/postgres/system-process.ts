import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, readlinkSync, realpathSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { processIdentity } from '../process-identity.ts'

const LOOK_AGAIN_MS = 20

/** Whether a process exists; one that has ended but was not yet collected by its parent counts as gone. */
export function isAlive(pid: number): boolean {
  return processIdentity(pid) !== undefined
}

/**
 * Whether this process is a PostgreSQL working on that data folder: a server makes its data folder its
 * working directory. Guards against a process id that was given to another program since.
 */
export function servesFolder(pid: number | undefined, dataFolder: string): boolean {
  if (pid === undefined) return false
  if (!existsSync('/proc/self/stat')) {
    const { stdout } = spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
    return (stdout ?? '').includes(dataFolder)
  }
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'postgres' && readlinkSync(`/proc/${pid}/cwd`) === realpathSync(dataFolder)
  } catch {
    return false
  }
}

/** Every PostgreSQL process of a data folder, sessions included; empty where there is no /proc. */
export function processesServing(dataFolder: string): number[] {
  if (!existsSync('/proc/self/stat')) return []
  return readdirSync('/proc')
    .map(Number)
    .filter(pid => Number.isInteger(pid) && pid > 0 && servesFolder(pid, dataFolder))
}

/** Waits until processes are gone; false when that takes longer than `limitMs`. */
export async function areGone(pids: readonly number[], limitMs: number): Promise<boolean> {
  const until = performance.now() + limitMs
  while (pids.some(isAlive)) {
    if (performance.now() > until) return false
    await sleep(LOOK_AGAIN_MS)
  }
  return true
}

/** Sends a signal to a process that may be gone already, or that is not known. */
export function signal(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
