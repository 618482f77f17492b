import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createServedFunction, type ServedFunction } from '../../src/server/served-function.ts'

let root: string
let reports: string[]
let served: ServedFunction

/** What the bundles of a test tell about themselves. */
const told = globalThis as unknown as { told: string[]; release?: () => void }

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'served-'))
  reports = []
  told.told = []
  mkdirSync(join(root, 'dist'))
  writeFileSync(join(root, 'package.json'), '{ "main": "dist/index.js" }')
  writeFileSync(join(root, '.include'), 'dist/index.js\npackage.json\n')
  served = createServedFunction({
    description: { name: 'user', qualifiedName: 'api/user', web: 'raw', timeoutMs: 5_000, memoryMb: 256 },
    functionFolder: root,
    stageFolder: join(root, 'stage'),
    apiHost: 'http://127.0.0.1:8080',
    report: message => reports.push(message),
  })
})

afterEach(() => rmSync(root, { recursive: true }))

function build(code: string): void {
  writeFileSync(join(root, 'dist', 'index.js'), code)
}

function buildVersion(version: string): void {
  build(
    `exports.main = async () => ({ version: '${version}' }); exports.main.shutdown = async () => { globalThis.told.push('${version} shut down') }`,
  )
}

async function version(): Promise<unknown> {
  const ended = await served.call({}).ended
  return ended.end === 'result' ? (ended.result as { version: string }).version : ended.end
}

describe('a served function', () => {
  test('is loaded once and shut down at the end', async () => {
    buildVersion('one')
    expect(await version()).toBe('one')
    buildVersion('number two')
    expect(await version()).toBe('one')
    await served.shutdown()
    expect(told.told).toEqual(['one shut down'])
    expect(existsSync(join(root, 'stage'))).toBe(false)
  })

  test.each([
    ['does not parse', 'exports.main = async () => ('],
    ['throws while loading', 'throw new Error("no")'],
    ['exports no main', 'exports.other = 1'],
  ])('says so once when its bundle %s', async (_what, code) => {
    build(code)
    expect([served.prepare(), await version()]).toEqual([false, 'discarded'])
    expect(reports).toEqual(['api/user cannot be loaded'])
  })

  test('ends calls as discarded when there is nothing to load', async () => {
    expect(await version()).toBe('discarded')
    await served.shutdown()
  })

  test('lets a running call end before it shuts down', async () => {
    build(
      `exports.main = () => new Promise(resolve => { globalThis.release = () => resolve({ version: 'slow' }) }); exports.main.shutdown = async () => { globalThis.told.push('slow shut down') }`,
    )
    const slow = served.call({})
    const ended = served.shutdown()
    await Promise.resolve()
    expect(told.told).toEqual([])
    told.release?.()
    expect(await slow.ended).toEqual({ end: 'result', result: { version: 'slow' } })
    await ended
    expect(told.told).toEqual(['slow shut down'])
  })

  test('reports a shutdown that fails and ends all the same', async () => {
    build(`exports.main = () => ({}); exports.main.shutdown = async () => { throw new Error('no') }`)
    served.prepare()
    await served.shutdown()
    expect(reports).toEqual(['api/user did not shut down cleanly'])
  })
})
