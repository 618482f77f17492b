import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { processIdentity } from '../process-identity.ts'
import { areGone, processesServing, servesFolder, signal } from './system-process.ts'

/** Told to the server as a setting of its own, so that a later start knows who started this one. */
export const LAUNCHER_SETTING = 'launcher.process'

const PATIENCE_MS = 10_000

/** The value of that setting: a process, and what tells it from a later one with its id. */
export function launcherOf(pid: number): string {
  return `${pid}:${Buffer.from(processIdentity(pid) ?? '').toString('hex')}`
}

/** The id of the server of a data folder, as that server has written it down; it may be gone. */
export function recordedPid(dataFolder: string): number | undefined {
  const pid = Number.parseInt(textOf(join(dataFolder, 'postmaster.pid')), 10)
  return pid > 0 ? pid : undefined
}

/**
 * Clears the way for a start: stops a server of this data folder whose launcher is gone (it was killed
 * before it could stop it) and removes the pid file of one that is not running.
 *
 * pg_ctl does none of this: it signals whatever process has the recorded id, and knows neither launchers nor sessions.
 *
 * Throws when another process is running the database: stopping that would pull it from under its user.
 */
export async function clearLeftover(dataFolder: string): Promise<void> {
  const pid = recordedPid(dataFolder)
  if (pid !== undefined && servesFolder(pid, dataFolder)) {
    const [, launcher = '', id] = new RegExp(`${LAUNCHER_SETTING}=((\\d+):[0-9a-f]*)`).exec(textOf(join(dataFolder, 'postmaster.opts'))) ?? []
    if (id === undefined || launcherOf(Number(id)) === launcher) {
      const starter = id === undefined ? 'by other means' : `by process ${id}`
      throw new Error(`The database in ${dataFolder} is already running as process ${pid}, started ${starter}: stop that first`)
    }
    signal(pid, 'SIGINT')
    if (!(await areGone([pid], PATIENCE_MS))) signal(pid, 'SIGKILL')
    await areGone([pid], PATIENCE_MS)
  }
  // Sessions can outlive a server that was killed, and hold its shared memory against a new one.
  const others = processesServing(dataFolder)
  for (const other of others) signal(other, 'SIGKILL')
  if (!(await areGone(others, PATIENCE_MS))) {
    throw new Error(`An earlier server of ${dataFolder} does not end: process ${others.join(', ')}`)
  }
  rmSync(join(dataFolder, 'postmaster.pid'), { force: true })
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
