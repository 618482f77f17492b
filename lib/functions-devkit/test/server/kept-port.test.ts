import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { keptPort } from '../../src/server/kept-port.ts'

let folder: string
const port = (service: 'database' | 'redis', chosen?: number) => keptPort({ folder, service, chosen })

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ports-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

describe('the port of a service', () => {
  test('stays the same, and is another one for each service', async () => {
    const [database, redis] = [await port('database'), await port('redis')]
    expect(database).not.toBe(redis)
    expect([await port('database'), await port('redis')]).toEqual([database, redis])
  })

  test('lies below those of outgoing connections', async () => {
    expect(await port('database')).toBeGreaterThanOrEqual(20_000)
    expect(await port('database')).toBeLessThan(32_768)
  })

  test('is the chosen one from then on', async () => {
    const redis = await port('redis')
    await port('database')
    expect(await port('database', 5555)).toBe(5555)
    expect(await port('database')).toBe(5555)
    expect(await port('redis')).toBe(redis)
  })

  test('is a new one for 0', async () => {
    await port('database', 5555)
    expect(await port('database', 0)).not.toBe(5555)
  })

  test('is refused from a file that is not JSON', async () => {
    writeFileSync(join(folder, 'ports.json'), 'half')
    await expect(port('database')).rejects.toThrow('ports.json is not JSON: delete it')
  })
})
