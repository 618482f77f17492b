import { existsSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { isAlive } from '../../src/server/postgres/system-process.ts'
import { startContainer, stopContainers, type Container, type ContainerOptions } from './platform/container.ts'
import { zipFiles } from './platform/zip-files.ts'

afterEach(stopContainers)

/** A container whose index.js is the given CommonJS source. */
function start(source: string, options: Partial<ContainerOptions> = {}): Promise<Container> {
  return startContainer({ zip: zipFiles({ 'index.js': source }), runtime: 'digitalocean', limits: { timeout: 10_000 }, ...options })
}

const both = ['apache', 'digitalocean'] as const

describe('loading', () => {
  it.each(both)('takes the entry that package.json names (%s)', async runtime => {
    const zip = zipFiles({
      'package.json': '{"main":"dist/index.js","type":"commonjs"}',
      'dist/index.js': 'exports.main = () => ({ from: "dist" })',
      'index.js': 'exports.main = () => ({ from: "root" })',
    })
    const container = await startContainer({ zip, runtime })
    expect((await container.run({})).result).toEqual({ from: 'dist' })
  })

  it('prefers index.mjs to index.js, which only the runtime with import() can load', async () => {
    const zip = zipFiles({ 'index.mjs': 'export const main = () => ({ from: "mjs" })', 'index.js': 'exports.main = () => ({ from: "js" })' })
    const container = await startContainer({ zip, runtime: 'digitalocean' })
    expect((await container.run({})).result).toEqual({ from: 'mjs' })
    await expect(startContainer({ zip, runtime: 'apache' })).rejects.toThrow('ERR_REQUIRE_ESM')
  })

  it.each(both)('fails for code that throws, with its log and error (%s)', async runtime => {
    await expect(start('console.log("loading"); throw new Error("no setting")', { runtime })).rejects.toThrow(/no setting[^]*loading/)
  })

  it.each(both)('fails without an exported main (%s)', async runtime => {
    await expect(start('exports.other = () => ({})', { runtime })).rejects.toThrow("exports no function 'main'")
  })

  it('fails for code that ends the process or never finishes loading', async () => {
    await expect(start('process.exit(7)')).rejects.toThrow('it exited with 7')
    const zip = zipFiles({ 'index.mjs': 'setInterval(() => {}, 1000); await new Promise(() => {}); export const main = 1' })
    await expect(startContainer({ zip, runtime: 'digitalocean', limits: { timeout: 100 } })).rejects.toThrow('time limit')
  })

  it('gives the code its own folder and a nearly empty environment, set before it is loaded', async () => {
    vi.stubEnv('LEAKED_FROM_TEST', 'yes')
    const container = await start(
      `const atLoad = { ...process.env, cwd: process.cwd() }; const fs = require('node:fs')
       exports.main = () => ({ atLoad, names: Object.keys(process.env), files: fs.readdirSync('.'), here: __dirname })`,
      { environment: { LOG_LEVEL: 'debug' } },
    )
    const result = (await container.run({})).result as { atLoad: Record<string, string>; names: string[]; files: string[]; here: string }
    vi.unstubAllEnvs()
    expect(Object.keys(result.atLoad).sort()).toEqual(['HOME', 'LOG_LEVEL', 'PATH', '__OW_API_HOST', 'cwd'])
    expect(result.names.filter(name => !name.startsWith('__OW_')).sort()).toEqual(['HOME', 'LOG_LEVEL', 'PATH'])
    expect(result.files).toEqual(['index.js'])
    expect(result.here).toBe(result.atLoad.cwd)
  })

  it.each(both)('finds no package outside the zip (%s)', async runtime => {
    await expect(start('require("pg"); exports.main = () => ({})', { runtime })).rejects.toThrow("Cannot find module 'pg'")
  })
})

describe('calling', () => {
  it('hands over a context on DigitalOcean, made of the variables of the call', async () => {
    const container = await start(
      `exports.main = async (event, context) => ({ event, context, left: context.getRemainingTimeInMillis(), deadline: process.env.__OW_DEADLINE,
         activation: process.env.__OW_ACTIVATION_ID, transaction: process.env.__OW_TRANSACTION_ID, name: process.env.__OW_ACTION_NAME })`,
      { name: 'api/webhook' },
    )
    const first = (await container.run({ a: 1 })).result as Record<string, never> & { context: Record<string, unknown> }
    const second = (await container.run({})).result as typeof first
    expect(first.event).toEqual({ a: 1 })
    expect(first.context).toMatchObject({
      functionName: first.name,
      activationId: first.activation,
      requestId: first.transaction,
      apiKey: '',
      deadline: Number(first.deadline),
    })
    expect(first.name).toMatch(/\/api\/webhook$/)
    expect(first.left).toBeGreaterThan(0)
    expect(first.left).toBeLessThanOrEqual(10_000)
    expect(second.activation).not.toBe(first.activation)
    expect(Number(second.deadline)).toBeGreaterThan(Number(first.deadline))
  })

  it("hands over the event alone on Apache's runtime, with the same variables", async () => {
    const container = await start(
      'exports.main = (...given) => ({ given: given.length, names: Object.keys(process.env).filter(name => name.startsWith("__OW_")).sort() })',
      { runtime: 'apache' },
    )
    const names = ['ACTION_NAME', 'ACTION_VERSION', 'ACTIVATION_ID', 'API_HOST', 'DEADLINE', 'NAMESPACE', 'TRANSACTION_ID']
    expect((await container.run({})).result).toEqual({ given: 1, names: names.map(name => `__OW_${name}`) })
  })

  it('counts loading against the deadline of the first call', async () => {
    const container = await start(
      'const until = Date.now() + 300; while (Date.now() < until); exports.main = (_, context) => ({ left: context.getRemainingTimeInMillis() })',
    )
    // The clocks of the two processes round differently, so less than the 300 ms are asked for.
    expect((await container.run({})).result?.left).toBeLessThanOrEqual(9_800)
  })

  it('keeps the state of a module from call to call', async () => {
    const container = await start('let calls = 0; exports.main = () => ({ calls: ++calls })')
    await container.run({})
    expect((await container.run({})).result).toEqual({ calls: 2 })
  })

  it('serves one call at a time', async () => {
    const container = await start('exports.main = () => new Promise(resolve => setTimeout(resolve, 50, {}))')
    const first = container.run({})
    await expect(container.run({})).rejects.toThrow('busy')
    expect((await first).result).toEqual({})
  })

  it('tells the logs of its calls apart, and what was printed in between', async () => {
    const container = await start(
      `console.log('loading')
       exports.main = async ({ n }) => { console.log('out', n); console.error('err', n); setImmediate(() => console.log('late', n)); return {} }`,
    )
    expect((await container.run({ n: 1 })).logs).toEqual({ stdout: 'loading\nout 1\n', stderr: 'err 1\n' })
    await expect.poll(() => container.lateLogs()).toEqual({ stdout: 'late 1\n', stderr: '' })
    expect((await container.run({ n: 2 })).logs).toEqual({ stdout: 'late 1\nout 2\n', stderr: 'err 2\n' })
  })
})

describe('results', () => {
  it.each(both)('takes undefined for an empty object (%s)', async runtime => {
    const container = await start('exports.main = async () => undefined', { runtime })
    expect((await container.run({})).result).toEqual({})
  })

  it.each([
    ['apache', '"text"', 'string'],
    ['apache', '5', 'number'],
    ['apache', 'null', 'null'],
    ['digitalocean', '"text"', 'string'],
    ['digitalocean', 'true', 'boolean'],
    ['digitalocean', '[1]', 'array'],
  ] as const)('discards a container on %s that returns %s', async (runtime, value, type) => {
    const container = await start(`exports.main = () => (${value})`, { runtime })
    const outcome = await container.run({})
    expect(outcome).toMatchObject({ result: undefined, exited: { reason: 'not an object', type } })
    expect(isAlive(container.pid)).toBe(false)
    expect((await container.run({})).exited).toEqual(outcome.exited)
  })

  it.each(both)('serialises a thrown error, stack included, and keeps the container (%s)', async runtime => {
    const container = await start(
      'exports.main = ({ n }) => { if (n) return { n }; throw Object.assign(new TypeError("broken"), { code: "E_X" }) }',
      { runtime },
    )
    const { result } = await container.run({})
    expect(result).toEqual({ error: { name: 'TypeError', message: 'broken', code: 'E_X', stack: expect.stringContaining('index.js') as string } })
    expect((await container.run({ n: 1 })).result).toEqual({ n: 1 })
  })

  it('replaces a result of more than 1 MB by an error', async () => {
    const container = await start('exports.main = () => ({ body: "x".repeat(1024 * 1024) })')
    expect((await container.run({})).result).toEqual({ error: expect.stringContaining('exceeded the allowed length') as string })
  })
})

describe('ending', () => {
  it.each(both)('kills a call at its time limit and keeps what it has printed (%s)', async runtime => {
    const container = await start('exports.main = () => { console.log("begun"); return new Promise(() => setInterval(() => {}, 1000)) }', {
      runtime,
      limits: { timeout: 500 },
    })
    expect(await container.run({})).toEqual({ result: undefined, logs: { stdout: 'begun\n', stderr: '' }, exited: { reason: 'time limit' } })
    expect(isAlive(container.pid)).toBe(false)
  })

  it('reports a process that ends during a call', async () => {
    const container = await start('exports.main = () => { console.error("dying"); process.exit(3) }')
    expect(await container.run({})).toEqual({
      result: undefined,
      logs: { stdout: '', stderr: 'dying\n' },
      exited: { reason: 'exited', code: 3, signal: null },
    })
  })

  it('lets an error after the reply fail the next call', async () => {
    const container = await start('exports.main = () => { setTimeout(() => { throw new Error("too late") }, 1); return { ok: true } }')
    expect((await container.run({})).result).toEqual({ ok: true })
    await expect.poll(() => isAlive(container.pid)).toBe(false)
    const next = await container.run({})
    expect(next.exited).toEqual({ reason: 'exited', code: 1, signal: null })
    expect(next.logs.stderr).toContain('too late')
  })

  it('freezes between calls: a timer fires only when the next call comes', async () => {
    const container = await start(
      `let fired = 0
       exports.main = () => { const before = fired; setTimeout(() => { fired += 1; console.log('fired') }, 500); return new Promise(resolve => setImmediate(() => resolve({ before }))) }`,
    )
    await container.run({})
    container.pause()
    // Longer than the timer takes: had the process run on, it would have printed by now.
    await new Promise(resolve => setTimeout(resolve, 600))
    expect(container.lateLogs().stdout).toBe('')
    container.resume()
    await expect.poll(() => container.lateLogs().stdout).toBe('fired\n')
    container.pause()
    expect((await container.run({})).result).toEqual({ before: 1 })
  })

  it.each(['stop', 'kill'] as const)('leaves neither process nor files after %s, paused or not', async how => {
    const container = await start('exports.main = () => ({ here: __dirname })')
    const here = (await container.run({})).result?.here as string
    expect(existsSync(here)).toBe(true)
    container.pause()
    await container[how]()
    expect(isAlive(container.pid)).toBe(false)
    expect(existsSync(here)).toBe(false)
  })

  it('ends with the block that declared it', async () => {
    let pid: number
    {
      await using container = await start('exports.main = () => ({})')
      pid = container.pid
    }
    expect(isAlive(pid)).toBe(false)
  })
})
