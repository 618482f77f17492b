import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@redis/client'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { freePort, PortTakenError } from '../../../src/server/postgres/free-port.ts'
import { processIdentity } from '../../../src/server/process-identity.ts'
import { isRedisInstalled, startRedis, type LocalRedis } from '../../../src/server/redis/local-redis.ts'
import { hasRedis } from '../../support/redis.ts'

let folder: string
const running: LocalRedis[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'local-redis-'))
})

afterEach(async () => {
  for (const redis of running.splice(0)) await redis.end()
  rmSync(folder, { recursive: true, force: true })
})

async function start(port: number): Promise<LocalRedis> {
  const redis = await startRedis({ folder, port, password: 'secret' })
  running.push(redis)
  return redis
}

async function ask(url: string, ...words: string[]): Promise<unknown> {
  const client = createClient({ url, RESP: 2, socket: { reconnectStrategy: false } })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return await client.sendCommand(words)
  } finally {
    client.destroy()
  }
}

test('a program that does not exist counts as not installed', () => {
  expect(isRedisInstalled(join(folder, 'redis-server'))).toBe(false)
})

describe.runIf(hasRedis())('the local Redis', () => {
  test('keeps what it was given over an end and a start', async () => {
    const port = await freePort()
    const first = await start(port)
    await ask(first.url, 'SET', 'key', 'kept')
    await first.end()
    expect(processIdentity(first.pid)).toBeUndefined()
    const second = await start(port)
    expect(second.url).toBe(first.url)
    expect(await ask(second.url, 'GET', 'key')).toBe('kept')
    expect(await ask(second.url, 'CONFIG', 'GET', 'appendfsync')).toEqual(['appendfsync', 'always'])
  })

  test('refuses a client without the password', async () => {
    const redis = await start(await freePort())
    await expect(ask(redis.url.replace('secret', 'wrong'), 'PING')).rejects.toThrow(/WRONGPASS|invalid/)
  })

  test('ends what a killed process has left, and keeps its data', async () => {
    const port = await freePort()
    const child = fork(join(import.meta.dirname, '../../support/redis-in-child.ts'), [folder, String(port)], { execArgv: [] })
    const [pid] = (await once(child, 'message')) as [number]
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
    expect(processIdentity(pid)).toBeDefined()
    const redis = await start(port)
    expect(processIdentity(pid)).toBeUndefined()
    expect(await ask(redis.url, 'PING')).toBe('PONG')
  })

  test('leaves a process alone that merely has the recorded id', async () => {
    writeFileSync(join(folder, 'process.json'), JSON.stringify({ pid: process.pid, identity: 'of an earlier process' }))
    const redis = await start(await freePort())
    expect(redis.pid).not.toBe(process.pid)
  })

  test('rejects when another program listens on its port', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    await expect(start((other.address() as AddressInfo).port)).rejects.toBeInstanceOf(PortTakenError)
    other.close()
  })

  test('rejects with its log when its data cannot be read', async () => {
    const port = await freePort()
    const redis = await start(port)
    await ask(redis.url, 'SET', 'key', 'kept')
    await redis.end()
    running.length = 0
    const files = join(folder, 'appendonlydir')
    for (const name of readdirSync(files)) writeFileSync(join(files, name), 'no data of Redis')
    await expect(start(port)).rejects.toThrow(/^Redis did not start/)
  })
})
