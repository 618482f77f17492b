import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { processIdentity } from '../process-identity.ts'
import { type PostgresBinaries } from './binaries.ts'
import { serverEnvironment } from './cluster.ts'
import { PortClosedError, PortTakenError } from './free-port.ts'
import { type Identity } from './identity.ts'
import { LAUNCHER_SETTING, launcherOf, recordedPid } from './leftover.ts'
import { areGone, servesFolder, signal } from './system-process.ts'

/** One run of the server process. */
export interface Postmaster {
  pid: number
  hasEnded(): boolean
  stop(mode: 'fast' | 'immediate'): Promise<void>
  /** Stops it in the mode `immediate` before it returns: for a process that is about to end. */
  kill(): void
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
const LONGEST_START_S = 60
const LONGEST_STOP_S = 15
/** A healthy server takes some 50 ms for an immediate shutdown. */
const LONGEST_KILL_S = 2
const LINES_KEPT = 20

/**
 * Starts the server through pg_ctl and resolves when it takes connections. A start that fails rejects with the last lines
 * the server logged. pg_ctl gives the server a process group of its own: Ctrl-C in a terminal reaches a whole group,
 * and would stop the database before the work that still needs it.
 */
export async function startPostmaster({ dataFolder, binaries, identity, port, settings, onLog }: PostmasterOptions): Promise<Postmaster> {
  const all = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    // No socket file: the usual folder for it, /run, is closed to ordinary users.
    unix_socket_directories: '',
    [LAUNCHER_SETTING]: launcherOf(process.pid),
    ...settings,
  }
  const flags = Object.entries(all).map(([name, value]) => `-c ${quote(`${name}=${value}`)}`)
  const run = { ...identity, cwd: dataFolder, env: serverEnvironment() }
  const words = (action: string, longestS: number, ...more: string[]) => [action, '-D', dataFolder, '-s', '-w', '-t', String(longestS), ...more]

  // The last fence for a process that ends without stopping its database, also in the middle of a start.
  let hasEnded = () => !servesFolder(recordedPid(dataFolder), dataFolder)
  const stopAtExit = () => {
    if (!hasEnded()) signal(recordedPid(dataFolder), 'SIGINT')
  }
  process.once('exit', stopAtExit)

  const start = words('start', LONGEST_START_S, '-p', binaries.postgres, '-o', flags.join(' '))
  const starting = spawn(binaries.pgCtl, start, { ...run, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = once(starting, 'close').catch(() => undefined)
  const lastLines: string[] = []
  // The server inherits standard output, and logs there.
  for (const input of [starting.stdout, starting.stderr]) {
    createInterface({ input }).on('line', line => {
      lastLines.push(line)
      if (lastLines.length > LINES_KEPT) lastLines.shift()
      onLog(line)
    })
  }
  const failure = await once(starting, 'exit').then(
    ([code, killedBy]: (number | string | null)[]) => (code === 0 ? undefined : (killedBy ?? `exit code ${code}`)),
    (error: Error) => error.message,
  )
  const pid = recordedPid(dataFolder)
  if (failure !== undefined || pid === undefined) {
    if (!hasEnded()) signal(pid, 'SIGKILL')
    process.off('exit', stopAtExit)
    await Promise.race([closed, sleep(1_000, undefined, { ref: false })])
    const error = new Error(`PostgreSQL did not start (${failure ?? 'it has ended'}):\n${lastLines.join('\n')}`)
    throw portErrorOf(error, port) ?? error
  }
  const born = processIdentity(pid)
  hasEnded = () => born === undefined || processIdentity(pid) !== born

  return {
    pid,
    hasEnded,
    async stop(mode) {
      if (hasEnded()) return void process.off('exit', stopAtExit)
      const stop = words('stop', LONGEST_STOP_S, '-m', mode)
      await once(spawn(binaries.pgCtl, stop, { ...run, stdio: 'ignore' }), 'exit').catch(() => undefined)
      if (!hasEnded() && recordedPid(dataFolder) === pid) signal(pid, 'SIGKILL')
      await areGone([pid], LONGEST_STOP_S * 1000)
      process.off('exit', stopAtExit)
    },
    kill() {
      if (hasEnded()) return
      spawnSync(binaries.pgCtl, words('stop', LONGEST_KILL_S, '-m', 'immediate'), { ...run, stdio: 'ignore' })
      if (recordedPid(dataFolder) === pid) signal(-pid, 'SIGKILL')
    },
  }
}

/** The server runs as another user than root, who may listen anywhere; and a program may take the port just before it. */
function portErrorOf(error: Error, port: number): Error | undefined {
  const [, reason] = /could not bind .* address .*: (Permission denied|Address already in use)/.exec(error.message) ?? []
  if (reason === undefined) return undefined
  return reason === 'Permission denied' ? new PortClosedError(port, error) : new PortTakenError(port, error)
}

/** pg_ctl hands its options to a shell. */
function quote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`
}
