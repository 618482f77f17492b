import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { choosePort, keepPort } from '../../src/server/kept-port.ts'

type Service = 'database' | 'redis'

let folder: string
const choose = (service: Service, chosen?: number) => choosePort({ folder, service, chosen })
const keep = (service: Service, port: number) => keepPort({ folder, service, port })

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ports-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

describe('the port of a service', () => {
  test('is the kept one of this service', async () => {
    keep('database', 5555)
    keep('redis', 6666)
    expect([await choose('database'), await choose('redis')]).toEqual([5555, 6666])
  })

  test('lies below those of outgoing connections', async () => {
    expect(await choose('database')).toBeGreaterThanOrEqual(20_000)
    expect(await choose('database')).toBeLessThan(32_768)
  })

  test('is the chosen one, which is not kept yet', async () => {
    keep('database', 5555)
    expect(await choose('database', 80)).toBe(80)
    expect(await choose('database')).toBe(5555)
  })

  test('is a new one for 0', async () => {
    keep('database', 5555)
    expect(await choose('database', 0)).not.toBe(5555)
  })

  test('is refused from a file that is not JSON', async () => {
    writeFileSync(join(folder, 'ports.json'), 'half')
    await expect(choose('database')).rejects.toThrow('ports.json is not JSON: delete it')
  })
})
