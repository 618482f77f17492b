import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, readlinkSync, realpathSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const LOOK_AGAIN_MS = 20

/** Whether a process exists; one that has ended but was not yet collected by its parent counts as gone. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  return !existsSync('/proc/self/stat') || statFields(pid)?.state !== 'Z'
}

/** The process that started this one, or the one that inherited it after that ended. */
export function parentOf(pid: number): number | undefined {
  if (existsSync('/proc/self/stat')) return statFields(pid)?.parent
  const { stdout } = spawnSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' })
  return Number.parseInt(stdout ?? '', 10) || undefined
}

/**
 * Whether this process is a PostgreSQL working on that data folder: a server makes its data folder its
 * working directory. Guards against a process id that was given to another program since.
 */
export function servesFolder(pid: number, dataFolder: string): boolean {
  if (!existsSync('/proc/self/stat')) {
    const { stdout } = spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
    return (stdout ?? '').includes(dataFolder)
  }
  try {
    return statFields(pid)?.name === 'postgres' && readlinkSync(`/proc/${pid}/cwd`) === realpathSync(dataFolder)
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

/** Sends a signal to a process that may be gone already. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function statFields(pid: number): { name: string; state: string; parent: number } | undefined {
  try {
    // The name stands in brackets and may contain blanks and brackets itself.
    const [, name = '', rest = ''] = /\((.*)\) (.*)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
    const [state = '', parent] = rest.split(' ')
    return { name, state, parent: Number(parent) }
  } catch {
    return undefined
  }
}
