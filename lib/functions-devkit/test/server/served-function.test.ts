import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
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
    loaded: ({ scopes = [] }) => told.told.push(...scopes),
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

const stages = () => readdirSync(join(root, 'stage'))

describe('a served function', () => {
  test('serves the new bundle once it has changed and shuts the old one down', async () => {
    buildVersion('one')
    expect(await version()).toBe('one')
    buildVersion('number two')
    expect(await version()).toBe('number two')
    await served.shutdown()
    expect(told.told).toEqual(['one shut down', 'number two shut down'])
    expect(stages()).toEqual([])
  })

  test('hands over each bundle before it is called', async () => {
    const asking = (scope: string) => `exports.main = async () => ({ version: globalThis.told.at(-1) }); exports.main.scopes = ['${scope}']`
    build(asking('users:read'))
    expect(await version()).toBe('users:read')
    build(asking('users:write'))
    expect(await version()).toBe('users:write')
    await served.shutdown()
  })

  test('keeps the bundle when it is built again without a change', async () => {
    buildVersion('one')
    await version()
    buildVersion('one')
    await version()
    expect(stages()).toEqual(['1'])
    expect(reports).toEqual([])
  })

  test.each([
    ['does not parse', 'exports.main = async () => ('],
    ['throws while loading', 'throw new Error("no")'],
    ['exports no main', 'exports.other = 1'],
  ])('keeps the old bundle when the new one %s, and tries again', async (_what, code) => {
    buildVersion('one')
    await version()
    build(code)
    expect(await version()).toBe('one')
    expect(await version()).toBe('one')
    expect(reports).toEqual(Array(2).fill('api/user has changed and cannot be loaded; the version before goes on'))
    buildVersion('repaired')
    expect(await version()).toBe('repaired')
  })

  test('goes on while the bundle is missing for a moment', async () => {
    buildVersion('one')
    await version()
    rmSync(join(root, 'dist', 'index.js'))
    expect(await version()).toBe('one')
  })

  test('ends calls as discarded while there is nothing to load', async () => {
    expect(await version()).toBe('discarded')
    buildVersion('first')
    expect(await version()).toBe('first')
  })

  test('lets a running call end on the old bundle before that is shut down', async () => {
    build(
      `exports.main = () => new Promise(resolve => { globalThis.release = () => resolve({ version: 'slow' }) }); exports.main.shutdown = async () => { globalThis.told.push('slow shut down') }`,
    )
    const slow = served.call({})
    buildVersion('next')
    expect(await version()).toBe('next')
    expect(told.told).toEqual([])
    told.release?.()
    expect(await slow.ended).toEqual({ end: 'result', result: { version: 'slow' } })
    await served.shutdown()
    expect(told.told).toEqual(['slow shut down', 'next shut down'])
  })

  test('reports a shutdown that fails and ends all the same', async () => {
    build(`exports.main = () => ({}); exports.main.shutdown = async () => { throw new Error('no') }`)
    served.prepare()
    await served.shutdown()
    expect(reports).toEqual(['api/user did not shut down cleanly'])
  })
})
