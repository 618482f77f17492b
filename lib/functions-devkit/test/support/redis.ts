import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { freePort } from '../../src/server/postgres/free-port.ts'

/** A Redis of this machine, durable as in production unless its settings say otherwise. */
export interface RedisServer {
  readonly url: string
  /** Runs one command; texts come as texts. */
  command<Result>(...words: readonly string[]): Promise<Result>
  /** Ends it at once (SIGKILL) and leaves its files. */
  kill(): Promise<void>
  /** Starts it again on the same files and port. */
  start(): Promise<void>
  /** Ends it and removes its files. */
  stop(): Promise<void>
}

const PROGRAM = 'redis-server'
const LONGEST_START_MS = 10_000
const LOOK_AGAIN_MS = 20

// The last fence for a process that ends without stopping its servers.
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Whether the program is installed; a run on a build machine must have it. */
export function hasRedis(): boolean {
  const found = spawnSync(PROGRAM, ['--version']).status === 0
  if (!found && process.env.CI) throw new Error('redis-server is not installed: its tests cannot be left out here')
  if (!found)
    console.warn(
      'SKIPPED: everything about the outage buffer, because redis-server is not installed (Debian and Ubuntu: apt-get install redis-server)',
    )
  return found
}

/** Starts Redis on a free port of 127.0.0.1, behind a password, with its files in a temporary folder. */
export async function startRedis(settings: Readonly<Record<string, string>> = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-'))
  const port = await freePort()
  const password = randomBytes(12).toString('hex')
  const url = `redis://:${password}@127.0.0.1:${port}`
  const all = {
    bind: '127.0.0.1',
    port: String(port),
    dir: folder,
    requirepass: password,
    save: '',
    appendonly: 'yes',
    appendfsync: 'always',
    ...settings,
  }
  let child: ChildProcess | undefined

  async function start(): Promise<void> {
    const words = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])
    const fresh = spawn(PROGRAM, words, { stdio: 'ignore', cwd: folder })
    running.add(fresh)
    child = fresh
    const until = performance.now() + LONGEST_START_MS
    while ((await command('PING').catch(() => undefined)) !== 'PONG') {
      if (fresh.exitCode !== null || performance.now() > until) throw new Error('Redis did not start')
      await sleep(LOOK_AGAIN_MS)
    }
  }
  async function kill(): Promise<void> {
    const old = child
    child = undefined
    if (old === undefined || old.exitCode !== null) return
    const gone = once(old, 'exit')
    old.kill('SIGKILL')
    await gone
    running.delete(old)
  }
  async function command<Result>(...words: readonly string[]): Promise<Result> {
    const client = createClient({ url, RESP: 2, socket: { reconnectStrategy: false } })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return await client.sendCommand([...words])
    } finally {
      client.destroy()
    }
  }

  await start()
  return {
    url,
    command,
    kill,
    start,
    async stop() {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
