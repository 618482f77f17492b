import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ServerAddress } from '../../functions-devkit/src/server/postgres/connection.ts'
import { serverIdentity } from '../../functions-devkit/src/server/postgres/identity.ts'
import { claimPort } from './proxy/claimed-port.ts'

/** A connection pooler of this machine, in transaction mode, in front of one server. */
export interface PgBouncer extends ServerAddress {
  /** Of the process that runs now. */
  readonly pid: number
  /** Asks it to end: `now` cuts its clients off. Without one, once nobody needs it any more. Resolves when it is gone. */
  stop(how?: 'now' | 'idle'): Promise<void>
  /**
   * Ends it by a signal, and starts it again on the same port when it has been gone for so long. SIGTERM cuts its clients
   * off, SIGINT waits for their transactions, SIGKILL leaves it no time for either.
   */
  restart(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL', awayMs?: number): Promise<void>
}

export interface PgBouncerOptions {
  /** The server that every database is taken from; its user may log in, and command the pooler. */
  server: ServerAddress
  /** What the pooler logs in to the server with, if not with the user's own password. */
  serverPassword?: string
  /** Settings of the section `pgbouncer`, on top of transaction mode and SCRAM. */
  settings?: Readonly<Record<string, string>>
  /** Gets what it logs, piece by piece. */
  onLog?: (text: string) => void
}

const PROGRAM = 'pgbouncer'
const HOST = '127.0.0.1'
// Debian keeps it where only root's PATH leads.
const PATH = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`
const LONGEST_START_MS = 10_000
const MOST_STARTS = 5

// The last fence for a process that ends without stopping its poolers.
const children = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

/** Whether the program is installed; a run on a build machine must have it. */
export function hasPgBouncer(): boolean {
  const found = spawnSync(PROGRAM, ['--version'], { env: { PATH } }).status === 0
  if (!found && process.env.CI) throw new Error('pgbouncer is not installed: its tests cannot be left out here')
  if (!found) console.warn('SKIPPED: everything about PgBouncer, because it is not installed (Debian and Ubuntu: apt-get install pgbouncer)')
  return found
}

/**
 * Starts PgBouncer on a free port of 127.0.0.1, with its files in a temporary folder that `stop` removes. Like
 * PostgreSQL it refuses to run as root, and runs as the same user.
 */
export async function startPgBouncer(options: PgBouncerOptions): Promise<PgBouncer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await startOnce(options)
    } catch (error) {
      // Somebody else was given the port since it was found free.
      if (tries === MOST_STARTS || !/in use/.test(String(error))) throw error
    }
  }
}

async function startOnce({ server, serverPassword, settings = {}, onLog = () => {} }: PgBouncerOptions): Promise<PgBouncer> {
  const identity = serverIdentity()
  const folder = await mkdtemp(join(tmpdir(), 'pgbouncer-'))
  // Stays its own while it is away between two starts.
  const claim = await claimPort()
  const { port } = claim
  const users = join(folder, 'users.txt')
  const configuration = join(folder, 'pgbouncer.ini')
  const all = {
    listen_addr: HOST,
    listen_port: String(port),
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: users,
    admin_users: server.user,
    pool_mode: 'transaction',
    ignore_startup_parameters: 'extra_float_digits,options',
    ...settings,
  }
  const address = `host=${server.host} port=${server.port}${serverPassword === undefined ? '' : ` user=${server.user} password=${serverPassword}`}`
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`)
  await writeFile(users, `"${server.user}" "${server.password}"\n`, { mode: 0o600 })
  await writeFile(configuration, `[databases]\n* = ${address}\n\n[pgbouncer]\n${lines.join('\n')}\n`, { mode: 0o600 })
  if (identity) for (const path of [folder, users, configuration]) await chown(path, identity.uid, identity.gid)

  const launch = () => launchOnce({ configuration, folder, port, onLog })
  const remove = () => {
    claim.release()
    return rm(folder, { recursive: true, force: true })
  }
  let running = await launch().catch(async (error: unknown) => {
    await remove()
    throw error
  })
  return {
    ...server,
    host: HOST,
    port,
    get pid() {
      return running.pid
    },
    async stop(how = 'now') {
      await running.end(how === 'now' ? 'SIGTERM' : 'SIGINT')
      await remove()
    },
    async restart(signal, awayMs = 0) {
      await running.end(signal)
      await sleep(awayMs)
      running = await launch()
    },
  }
}

interface Running {
  readonly pid: number
  end(signal: NodeJS.Signals): Promise<void>
}

interface LaunchOptions {
  readonly configuration: string
  readonly folder: string
  readonly port: number
  readonly onLog: (text: string) => void
}

/** Starts the process; resolves when it takes connections. */
async function launchOnce({ configuration, folder, port, onLog }: LaunchOptions): Promise<Running> {
  const child = spawn(PROGRAM, [configuration], { ...serverIdentity(), cwd: folder, env: { PATH }, stdio: ['ignore', 'ignore', 'pipe'] })
  const log: string[] = []
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log.push(text), onLog(text)))
  const gone = new Promise<void>(resolve => child.once('exit', () => resolve()).once('error', () => resolve()))
  children.add(child)
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    await gone
    children.delete(child)
  }
  try {
    await once(child, 'spawn')
    await listens(child, port)
  } catch (cause) {
    await end('SIGKILL')
    throw new Error(`PgBouncer did not start:\n${log.join('')}`, { cause })
  }
  return { pid: child.pid ?? 0, end }
}

/** Resolves when a PgBouncer has the port: a connection would also be taken by another program that has it. */
async function listens(child: ChildProcess, port: number): Promise<void> {
  const said = Promise.withResolvers<void>()
  let log = ''
  const read = (text: string) => {
    log += text
    if (log.includes(`listening on ${HOST}:${port}`)) said.resolve()
  }
  const ended = () => said.reject(new Error('it has ended'))
  const timer = setTimeout(() => said.reject(new Error(`it does not listen after ${LONGEST_START_MS} ms`)), LONGEST_START_MS)
  child.stderr?.on('data', read)
  child.once('exit', ended)
  try {
    await said.promise
  } finally {
    clearTimeout(timer)
    child.off('exit', ended)
    child.stderr?.off('data', read)
  }
}
