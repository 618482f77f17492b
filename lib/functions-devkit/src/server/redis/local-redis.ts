import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { makeFolder } from '../postgres/folder.ts'
import { requireFree } from '../postgres/free-port.ts'
import { endRecorded, recordProcess } from '../process-record.ts'
import { type Resource } from '../shutdown.ts'

/** A Redis on this machine that we started and end. */
export interface LocalRedis extends Resource {
  /** Password included. */
  readonly url: string
  readonly pid: number
}

export interface StartRedisOptions {
  /** Where its data goes. */
  readonly folder: string
  readonly port: number
  readonly password: string
  /** How many databases it has. Default: those of Redis, 16. */
  readonly databases?: number | undefined
  /** The program. */
  readonly program?: string
}

const PROGRAM = 'redis-server'
const READY = 'Ready to accept connections'
const LINES_KEPT = 10

/** Whether Redis is installed on this machine. */
export function isRedisInstalled(program = PROGRAM): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0
}

/** Returns the password of the local Redis: made from the machine's secret, so that every start gives the same one. */
export function localRedisPassword(secret: string): string {
  return createHmac('sha256', secret).update('REDIS_URL').digest('base64url')
}

/**
 * Starts Redis on 127.0.0.1, durable as the outage buffer asks for. One that was left behind by a killed process is ended first.
 *
 * Rejects with the last lines of its log when it does not start, and with a PortTakenError when another program listens on the port.
 */
export async function startRedis({ folder, port, password, databases, program = PROGRAM }: StartRedisOptions): Promise<LocalRedis> {
  await makeFolder(folder)
  const record = join(folder, 'process.json')
  await endRecorded(record)
  await requireFree(port)
  // In a process group of its own: Ctrl-C in a terminal reaches a whole group, and the functions still need Redis then.
  const child = spawn(program, ['-'], { cwd: folder, env: { PATH: process.env.PATH }, detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
  const lastLines: string[] = []
  const gone = new Promise<void>(resolve => child.once('exit', () => resolve()).once('error', () => resolve()))
  const ready = new Promise<boolean>(resolve => {
    void gone.then(() => resolve(false))
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', line => {
        lastLines.push(line)
        if (lastLines.length > LINES_KEPT) lastLines.shift()
        if (line.includes(READY)) resolve(true)
      })
    }
  })
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  void gone.then(() => process.off('exit', kill))

  child.stdin.on('error', () => undefined)
  // Over standard input: a command line shows the password to every user of the machine.
  child.stdin.end(configuration({ port, password, databases }))
  if (child.pid !== undefined) recordProcess(record, child.pid)
  if (!(await ready)) throw new Error(`Redis did not start (${program}):\n${lastLines.join('\n')}`)

  return {
    url: `redis://:${password}@127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    async end() {
      await endChild(child)
      rmSync(record, { force: true })
    },
    kill,
  }
}

function configuration({ port, password, databases }: Pick<StartRedisOptions, 'port' | 'password' | 'databases'>): string {
  const settings = {
    bind: '127.0.0.1',
    port: String(port),
    dir: '.',
    requirepass: password,
    ...(databases !== undefined && { databases: String(databases) }),
    save: '""',
    appendonly: 'yes',
    appendfsync: 'always',
    'no-appendfsync-on-rewrite': 'no',
    'maxmemory-policy': 'noeviction',
  }
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value}\n`)
    .join('')
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  await exit
}
