import { appendFileSync, cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  createContainerFunction,
  type ContainerFunction,
  type ContainerFunctionOptions,
} from '../../../src/server/containers/served-container-function.ts'
import { type CallEnd } from '../../../src/server/platform/response.ts'
import { processIdentity } from '../../../src/server/process-identity.ts'
import { PATIENTLY, resultOf, useContainers } from '../../support/containers/bench.ts'

const bench = useContainers()
let folder: string
let reports: string[]
let scopes: string[]
let loads: number
let environment: Record<string, string>
let served: ContainerFunction
let functions = 0

beforeEach(() => {
  functions += 1
  reports = []
  scopes = []
  loads = 0
  environment = { GREETING: 'hello' }
  const name = `served${functions}`
  folder = bench.write('', `packages/api/${name}`)
  rmSync(join(folder, 'dist', 'index.js'))
  served = create()
})
afterEach(() => served.shutdown({ waitForCalls: false }))

function create(more: Partial<ContainerFunctionOptions> = {}): ContainerFunction {
  const name = `served${functions}`
  return createContainerFunction({
    description: { name, qualifiedName: `api/${name}`, web: 'raw', timeoutMs: 10_000, memoryMb: 256 },
    functionFolder: folder,
    stageFolder: join(bench.folder, 'stage', name),
    program: bench.program,
    home: bench.home,
    records: bench.records,
    apiHost: 'http://127.0.0.1:8080',
    pool: { max: 3, maxCalls: 20, pauseAfterMs: 0, destroyAfterMs: 60_000 },
    environment: () => environment,
    onLine: ({ line }) => reports.push(line),
    report: message => reports.push(message),
    loaded: self => {
      loads += 1
      scopes.push(...self.scopes)
    },
    ...more,
  })
}

const build = (code: string) => writeFileSync(join(folder, 'dist', 'index.js'), code)
const buildVersion = (version: string) => build(`let calls = 0; exports.main = () => ({ version: '${version}', pid: process.pid, calls: ++calls })`)
const call = async (event: Record<string, unknown> = {}): Promise<CallEnd> => served.call(event).ended
const version = async () => resultOf(await call()).version
const stages = () => readdirSync(join(bench.folder, 'stage', `served${functions}`))

/** A function that says that its call has begun, and ends it when the test wants. */
const WAITING = `const fs = require('node:fs'); let running = 0
  exports.main = async ({ go }) => {
    running += 1
    fs.writeFileSync(go + '.begun', '')
    while (!fs.existsSync(go)) await new Promise(resolve => setTimeout(resolve, 5))
    return { pid: process.pid, together: running-- }
  }`
const goFile = (n: number) => join(bench.folder, `go-${functions}-${n}`)
const begun = (n: number) => expect.poll(() => existsSync(`${goFile(n)}.begun`), PATIENTLY).toBe(true)

describe('a function in containers', () => {
  test('is loaded ahead, and its container kept over pauses', async () => {
    buildVersion('one')
    expect(await served.prepare()).toBe(true)
    const first = resultOf(await call())
    expect(resultOf(await call())).toEqual({ ...first, calls: 2 })
    expect(readdirSync(bench.recordsFolder)).toEqual([String(first.pid)])
  })

  test('runs calls at once in containers of their own, and one more in the first that is free', async () => {
    build(WAITING)
    const calls = [1, 2, 3, 4].map(n => call({ go: goFile(n) }))
    for (const n of [1, 2, 3]) await begun(n)
    expect(existsSync(`${goFile(4)}.begun`)).toBe(false)
    writeFileSync(goFile(4), '')
    writeFileSync(goFile(2), '')
    const [second, fourth] = [resultOf(await (calls[1] as Promise<CallEnd>)), resultOf(await (calls[3] as Promise<CallEnd>))]
    expect(fourth).toEqual(second)
    for (const n of [1, 3]) writeFileSync(goFile(n), '')
    const ends = (await Promise.all(calls)).map(resultOf)
    expect(new Set(ends.map(({ pid }) => pid)).size).toBe(3)
    expect(ends.map(({ together }) => together)).toEqual([1, 1, 1, 1])
  })

  test('goes on in a new container after a crash', async () => {
    build('exports.main = ({ crash }) => (crash ? process.exit(3) : { pid: process.pid })')
    const { pid } = resultOf(await call())
    expect(await call({ crash: true })).toEqual({ end: 'discarded', reason: 'exited unexpectedly (exit code 3)' })
    expect(resultOf(await call()).pid).not.toBe(pid)
  })

  test('says what is wrong with its settings and which scopes it has', async () => {
    build(
      `exports.main = () => ({}); Object.assign(exports.main, { scopes: ['users:read'], settingIssues: () => [{ variable: 'A', reason: 'is missing' }] })`,
    )
    expect(served.settingIssues()).toEqual([])
    await served.prepare()
    expect(served.settingIssues()).toEqual([{ variable: 'A', reason: 'is missing' }])
    expect(scopes).toEqual(['users:read'])
  })
})

describe('a new version of a function in containers', () => {
  test('answers the next call, and the old containers are gone', async () => {
    buildVersion('one')
    const { pid } = resultOf(await call())
    buildVersion('two')
    expect(await version()).toBe('two')
    expect(reports).toEqual([])
    await expect.poll(() => processIdentity(pid as number), PATIENTLY).toBeUndefined()
    await expect.poll(stages, PATIENTLY).toHaveLength(1)
  })

  test('lets a call end on the old one', async () => {
    build(WAITING)
    const slow = call({ go: goFile(1) })
    await begun(1)
    buildVersion('two')
    expect(await version()).toBe('two')
    writeFileSync(goFile(1), '')
    expect(resultOf(await slow)).toMatchObject({ together: 1 })
  })

  test('is loaded once, however many calls come', async () => {
    buildVersion('one')
    await version()
    buildVersion('two')
    expect(await Promise.all([version(), version()])).toEqual(['two', 'two'])
    expect(loads).toBe(2)
  })

  test('is not loaded when the same is built again', async () => {
    buildVersion('one')
    const { pid } = resultOf(await call())
    buildVersion('one')
    expect(resultOf(await call())).toMatchObject({ pid, calls: 2 })
    expect(reports).toEqual([])
  })

  test.each([
    ['does not parse', 'exports.main = async () => ('],
    ['throws while loading', 'throw new Error("no")'],
    ['exports no main', 'exports.other = 1'],
  ])('that %s is reported once and not served', async (_what, code) => {
    buildVersion('one')
    await version()
    build(code)
    expect([await version(), await version()]).toEqual(['one', 'one'])
    expect(reports).toEqual([`api/served${functions} has changed and cannot be loaded; the version before goes on`])
    buildVersion('repaired')
    expect(await version()).toBe('repaired')
  })

  test('goes on while the bundle is missing for a moment', async () => {
    buildVersion('one')
    await version()
    rmSync(join(folder, 'dist', 'index.js'))
    expect(await version()).toBe('one')
    expect(reports).toEqual([])
  })

  test('is taken whole from where the link leads', async () => {
    build("exports.main = () => ({ version: require('./part.js') })")
    writeFileSync(join(folder, 'dist', 'part.js'), "module.exports = 'one'")
    appendFileSync(join(folder, '.include'), 'dist/part.js\n')
    const [first, second, link] = ['first', 'second', 'next'].map(name => `${folder}.${name}`) as [string, string, string]
    renameSync(folder, first)
    symlinkSync(first, folder)
    expect(await version()).toBe('one')
    cpSync(first, second, { recursive: true })
    writeFileSync(join(second, 'dist', 'part.js'), "module.exports = 'two'")
    symlinkSync(second, link)
    renameSync(link, folder)
    expect(await version()).toBe('two')
  })

  test('is loaded again for other variables', async () => {
    build('exports.main = () => ({ version: process.env.GREETING })')
    expect(await version()).toBe('hello')
    environment = { GREETING: 'welcome' }
    expect(await version()).toBe('welcome')
    expect(reports).toEqual([])
  })
})

describe('a function for a debugger', () => {
  const inspected = () => (served = create({ inspectorPort: 0, description: { ...served, timeoutMs: 1 } }))

  test('has one container at a time, without a time limit and never paused', async () => {
    build(WAITING)
    inspected()
    const calls = [1, 2].map(n => call({ go: goFile(n) }))
    await begun(1)
    expect(existsSync(`${goFile(2)}.begun`)).toBe(false)
    for (const n of [1, 2]) writeFileSync(goFile(n), '')
    const [one, two] = (await Promise.all(calls)).map(resultOf)
    expect(two).toEqual(one)
    expect(readFileSync(`/proc/${String(one?.pid)}/stat`, 'utf8')).not.toContain(') T ')
  })

  test('ends the old container before it starts the new one, and goes on with the old version when there is none', async () => {
    buildVersion('one')
    inspected()
    const { pid } = resultOf(await call())
    build(
      `exports.main = () => ({ alive: require('node:fs').existsSync('/proc/${String(pid)}') }); if (exports.main().alive) throw new Error('two at once')`,
    )
    expect(resultOf(await call())).toEqual({ alive: false })
    build('throw new Error("no")')
    expect(resultOf(await call())).toEqual({ alive: false })
    expect(reports).toEqual([`api/served${functions} has changed and cannot be loaded; the version before goes on`])
  })
})

describe('a function without a version', () => {
  test('is discarded, and tried again at the next call', async () => {
    expect(await call()).toEqual({ end: 'discarded', reason: 'could not be loaded' })
    build('throw new Error("no " + process.env.GREETING)')
    expect([await served.prepare(), (await call()).end]).toEqual([false, 'discarded'])
    environment = { GREETING: 'now' }
    build('exports.main = () => ({ version: process.env.GREETING })')
    expect(await version()).toBe('now')
  })
})

describe('the end of a function in containers', () => {
  test('waits for its calls and leaves neither process nor file', async () => {
    build(WAITING)
    const slow = call({ go: goFile(1) })
    await begun(1)
    const ended = served.shutdown()
    writeFileSync(goFile(1), '')
    expect((await slow).end).toBe('result')
    await ended
    expect(readdirSync(bench.recordsFolder)).toEqual([])
    expect(existsSync(join(bench.folder, 'stage', `served${functions}`))).toBe(false)
    expect(await call()).toEqual({ end: 'discarded', reason: 'was not called: the server is ending' })
  })
})
