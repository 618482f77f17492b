import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { areGone, isAlive, parentOf, processesServing, servesFolder, signal } from './system-process.ts'

/** Told to the server as a setting of its own, so that a later start knows who started this one. */
export const LAUNCHER_SETTING = 'launcher.pid'

const PATIENCE_MS = 10_000

/**
 * Clears the way for a start: stops a server of this data folder whose launcher is gone (it was killed
 * before it could stop it) and removes the pid file of one that is not running.
 *
 * Throws when another process is running the database: stopping that would pull it from under its user.
 */
export async function clearLeftover(dataFolder: string): Promise<void> {
  const pidFile = join(dataFolder, 'postmaster.pid')
  const pid = await recordedPid(pidFile)
  if (pid !== undefined && isAlive(pid) && servesFolder(pid, dataFolder)) {
    const launcher = await recordedLauncher(dataFolder)
    if (launcher === undefined || parentOf(pid) === launcher) {
      const starter = launcher === undefined ? 'by other means' : `by process ${launcher}`
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
  await rm(pidFile, { force: true })
}

async function recordedPid(pidFile: string): Promise<number | undefined> {
  const content = await readFile(pidFile, 'utf8').catch(() => '')
  const pid = Number.parseInt(content, 10)
  return pid > 0 ? pid : undefined
}

async function recordedLauncher(dataFolder: string): Promise<number | undefined> {
  const commandLine = await readFile(join(dataFolder, 'postmaster.opts'), 'utf8').catch(() => '')
  const pid = new RegExp(`${LAUNCHER_SETTING}=(\\d+)`).exec(commandLine)?.[1]
  return pid === undefined ? undefined : Number(pid)
}
