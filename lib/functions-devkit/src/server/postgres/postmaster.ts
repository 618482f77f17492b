import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { type PostgresBinaries } from './binaries.ts'
import { serverEnvironment } from './cluster.ts'
import { type Identity } from './identity.ts'
import { LAUNCHER_SETTING } from './leftover.ts'

/** One run of the server process. */
export interface Postmaster {
  pid: number
  hasEnded(): boolean
  stop(mode: 'fast' | 'immediate'): Promise<void>
}

export interface PostmasterOptions {
  dataFolder: string
  binaries: PostgresBinaries
  identity: Identity | undefined
  port: number
  settings: Readonly<Record<string, string>>
  onLog: (line: string) => void
}

/** Recovery after a crash comes before the first connection, so this is generous. */
const LONGEST_START_MS = 60_000
const LONGEST_STOP_MS = 15_000
const LOOK_AGAIN_MS = 10
const LINES_KEPT = 20

/**
 * Starts the server and resolves when it takes connections. A start that fails rejects with the last lines
 * the server logged. The server gets a process group of its own: Ctrl-C in a terminal reaches a whole group,
 * and would stop the database before the work that still needs it.
 */
export async function startPostmaster(options: PostmasterOptions): Promise<Postmaster> {
  const { dataFolder, binaries, identity, port, settings, onLog } = options
  const all = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    // No socket file: the usual folder for it, /run, is closed to ordinary users.
    unix_socket_directories: '',
    [LAUNCHER_SETTING]: String(process.pid),
    ...settings,
  }
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawn(binaries.postgres, ['-D', dataFolder, ...flags], {
    ...identity,
    cwd: dataFolder,
    env: serverEnvironment(),
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const gone = new Promise<void>(resolve => child.once('exit', () => resolve()).once('error', () => resolve()))
  const failure = once(child, 'spawn').then(
    () => undefined,
    (error: Error) => error,
  )
  const lastLines: string[] = []
  const lines = createInterface({ input: child.stderr }).on('line', line => {
    lastLines.push(line)
    if (lastLines.length > LINES_KEPT) lastLines.shift()
    onLog(line)
  })
  const logEnded = once(lines, 'close')

  // The last fence for a process that ends without stopping its database.
  const stopAtExit = () => void child.kill('SIGINT')
  process.once('exit', stopAtExit)
  void gone.then(() => process.off('exit', stopAtExit))

  const notStarted = await failure
  if (notStarted) throw new Error(`PostgreSQL did not start: ${notStarted.message}`, { cause: notStarted })
  if (!(await becomesReady(child, dataFolder))) {
    const how = hasEnded(child) ? (child.signalCode ?? `exit code ${child.exitCode}`) : `not ready after ${LONGEST_START_MS / 1000} s`
    child.kill('SIGKILL')
    await Promise.race([logEnded, sleep(1_000, undefined, { ref: false })])
    throw new Error(`PostgreSQL did not start (${how}):\n${lastLines.join('\n')}`)
  }

  return {
    pid: child.pid ?? 0,
    hasEnded: () => hasEnded(child),
    async stop(mode) {
      if (hasEnded(child)) return
      child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
      const inTime = await Promise.race([gone.then(() => true), sleep(LONGEST_STOP_MS, false, { ref: false })])
      if (!inTime) child.kill('SIGKILL')
      await gone
    },
  }
}

/** Watches the status line of postmaster.pid, as pg_ctl does: it does not depend on where the log goes. */
async function becomesReady(child: ChildProcess, dataFolder: string): Promise<boolean> {
  const until = performance.now() + LONGEST_START_MS
  while (!hasEnded(child) && performance.now() < until) {
    const lines = (await readFile(join(dataFolder, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
    if (Number(lines[0]) === child.pid && lines[7]?.trim() === 'ready') return true
    await sleep(LOOK_AGAIN_MS)
  }
  return false
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
