import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startBackingServices, type BackingServices } from '../../src/server/backing-services.ts'
import { recordedPid } from '../../src/server/postgres/leftover.ts'
import { createShutdown, type Shutdown } from '../../src/server/shutdown.ts'
import { hasRedis } from '../support/redis.ts'
import { REPOSITORY } from '../support/tested-application.ts'

const SECRETS = { webhookSecret: 'whsec_AAAA', apiKey: 'key_local', databasePassword: 'secret' }

let dataFolder: string
let shutdown: Shutdown
let lines: string[]
let other: Server | undefined

// Making a database takes longer than all of these tests.
beforeAll(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'services-'))
  chmodSync(dataFolder, 0o755)
})

beforeEach(() => {
  rmSync(join(dataFolder, 'ports.json'), { force: true })
  lines = []
})

afterEach(async () => {
  await shutdown.run()
  other?.close()
})

afterAll(() => rmSync(dataFolder, { recursive: true }))

function start({ database, redis }: { readonly database?: number; readonly redis?: number } = {}, runRedis = false): Promise<BackingServices> {
  const report = (line: string) => void lines.push(line)
  shutdown = createShutdown({ report })
  return startBackingServices({ checkout: REPOSITORY, dataFolder, secrets: SECRETS, ports: { database, redis }, runRedis, shutdown, report })
}

async function takenPort(): Promise<number> {
  other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  return (other.address() as AddressInfo).port
}

const kept = () => {
  const file = join(dataFolder, 'ports.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>) : {}
}

async function ask(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

describe('the local database', () => {
  test('keeps its port, and no port that it could not take', async () => {
    const taken = await takenPort()
    await expect(start({ database: taken })).rejects.toThrow(
      `Port ${taken}, where the local database listens, is taken by another program: choose one with LOCAL_DATABASE_PORT=… npm start`,
    )
    expect(kept()).toEqual({})
    const first = await start()
    expect(kept()).toEqual({ database: first.databasePort })
    await shutdown.run()
    await expect(start({ database: taken })).rejects.toThrow('is taken')
    const second = await start()
    expect(second.databaseUrl).toBe(first.databaseUrl)
  })

  test.skipIf(openToAll(80))('names a port that is closed to ordinary users', async () => {
    await expect(start({ database: 80 })).rejects.toThrow(
      'Port 80, where the local database listens, is closed to ordinary users: choose one above 1023 with LOCAL_DATABASE_PORT=… npm start',
    )
    expect(kept()).toEqual({})
  })

  test('is started again in its place when it has ended', async () => {
    const { databaseUrl, databasePort } = await start()
    await ask(databaseUrl, 'CREATE TABLE IF NOT EXISTS kept (id int)')
    process.kill(postmaster(), 'SIGKILL')
    await expect.poll(() => lines, { timeout: 30_000 }).toEqual([`PostgreSQL has ended: it is started again on port ${databasePort}`])
    await expect.poll(() => ask(databaseUrl, 'SELECT id FROM kept').catch(() => undefined), { timeout: 30_000 }).toEqual([])
  })

  test('says what to do when it does not start again', async () => {
    await start()
    const [file, aside] = ['global/pg_control', 'pg_control.aside'].map(name => join(clusterFolder(), name)) as [string, string]
    renameSync(file, aside)
    try {
      process.kill(postmaster(), 'SIGKILL')
      await expect.poll(() => lines.join('\n'), { timeout: 30_000 }).toMatch(/PostgreSQL does not start again: [^]*Press Ctrl-C/)
    } finally {
      renameSync(aside, file)
    }
  })
})

describe.runIf(hasRedis())('the local Redis', () => {
  test('keeps its port, and no port that it could not take', async () => {
    const taken = await takenPort()
    await expect(start({ redis: taken }, true)).rejects.toThrow(`Port ${taken}, where Redis listens, is taken by another program`)
    expect(kept()).not.toHaveProperty('redis')
    await shutdown.run()
    const { redis } = await start({}, true)
    expect(kept()).toMatchObject({ redis: typeof redis === 'object' && redis.port })
  })

  test('is started again in its place when it has ended', async () => {
    const { redis } = await start({}, true)
    if (typeof redis === 'string') throw new Error(`Redis is ${redis}`)
    const pid = redisPid()
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => lines, { timeout: 30_000 }).toEqual([`Redis has ended: it is started again on port ${redis.port}`])
    await expect.poll(redisPid, { timeout: 30_000 }).not.toBe(pid)
  })
})

function postmaster(): number {
  return recordedPid(clusterFolder()) ?? 0
}

function clusterFolder(): string {
  return join(dataFolder, readdirSync(dataFolder).find(name => /^postgres-\d+$/.test(name)) ?? '')
}

function redisPid(): number {
  return (JSON.parse(readFileSync(join(dataFolder, 'redis/process.json'), 'utf8')) as { pid: number }).pid
}

// Linux may open every port to all users.
function openToAll(port: number): boolean {
  const file = '/proc/sys/net/ipv4/ip_unprivileged_port_start'
  return process.platform === 'darwin' || (existsSync(file) && Number(readFileSync(file, 'utf8')) <= port)
}
