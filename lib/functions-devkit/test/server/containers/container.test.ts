import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { startRuntime } from '../../../src/server/containers/runtime-process.ts'
import { post } from '../../../src/server/containers/post.ts'
import { processIdentity } from '../../../src/server/process-identity.ts'
import { PATIENTLY, resultOf, run, useContainers } from '../../support/containers/bench.ts'

const bench = useContainers()
const HAS_PROC = process.platform === 'linux'

/** S for one that waits, T for one that is stopped. */
const stateOf = (pid: number) => /\) (\w) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]

describe('the environment of a container', () => {
  test('holds what it is given, HOME, PATH and the variables of the platform', async () => {
    vi.stubEnv('LEAKED_FROM_SHELL', 'yes')
    const container = await bench.start(
      `const atLoad = Object.keys(process.env); exports.main = () => ({ atLoad, now: { ...process.env }, here: process.cwd(), files: require('node:fs').readdirSync('.') })`,
      { environment: { GREETING: 'hello', EMPTY: '' } },
    )
    vi.unstubAllEnvs()
    const { atLoad, now, here, files } = resultOf(await run(container)) as {
      atLoad: string[]
      now: Record<string, string>
      here: string
      files: string[]
    }
    expect(atLoad.sort()).toEqual(['EMPTY', 'GREETING', 'HOME', 'PATH', '__OW_API_HOST'])
    expect(now).toMatchObject({ GREETING: 'hello', EMPTY: '', HOME: bench.home, __OW_ACTION_NAME: '/fn-local/api/user', __OW_NAMESPACE: 'fn-local' })
    expect(here.startsWith(bench.folder)).toBe(true)
    expect(files).toContain('dist')
  })

  test('is refreshed for each call, and so is the context', async () => {
    const container = await bench.start(
      `exports.main = (_event, { getRemainingTimeInMillis, ...context }) => ({ context, left: getRemainingTimeInMillis(), id: process.env.__OW_ACTIVATION_ID, deadline: process.env.__OW_DEADLINE })`,
    )
    const [one, two] = [resultOf(await run(container)), resultOf(await run(container))] as {
      context: Record<string, unknown>
      left: number
      id: string
      deadline: string
    }[]
    expect(one?.context).toEqual({
      functionName: '/fn-local/api/user',
      functionVersion: '0.0.1',
      activationId: one?.id,
      requestId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      deadline: Number(one?.deadline),
      apiHost: 'http://127.0.0.1:8080',
      apiKey: '',
      namespace: 'fn-local',
    })
    expect(one?.left).toBeLessThanOrEqual(10_000)
    expect(two?.id).not.toBe(one?.id)
  })
})

describe('loading', () => {
  test('tells what the bundle says of itself', async () => {
    const container = await bench.start(
      `exports.main = async () => ({}); Object.assign(exports.main, { variables: ['A'], scopes: ['users:read'],
         settingIssues: () => [{ variable: 'A', reason: 'is ' + process.env.A }] })`,
      { environment: { A: 'set' } },
    )
    expect(container.self).toEqual({ variables: ['A'], scopes: ['users:read'], settingIssues: [{ variable: 'A', reason: 'is set' }] })
  })

  test.each([
    ['throws', 'console.log("loading"); throw new Error("no setting")', 'no setting'],
    ['does not parse', 'exports.main = (', 'SyntaxError'],
    ['exports no main', 'exports.other = 1', "exports no function 'main'"],
    ['ends the process', 'process.exit(7)', 'exited unexpectedly (exit code 7)'],
    ['takes too long', 'for (;;);', 'exceeded its time limit of 500 ms'],
  ])('fails for code that %s', async (_what, source, message) => {
    const timeoutMs = message.includes('time limit') ? 500 : 10_000
    await expect(bench.start(source, { timeoutMs })).rejects.toThrow(message)
    expect(bench.lines.map(({ line }) => line)).toEqual(source.includes('loading') ? ['loading'] : [])
  })

  test('finds nothing outside of its folder', async () => {
    await expect(bench.start('require("pg")')).rejects.toThrow("Cannot find module 'pg'")
  })
})

describe('the protocol of a container', () => {
  const start = () =>
    startRuntime({
      program: bench.program,
      folder: bench.write('exports.main = () => ({})'),
      home: bench.home,
      apiHost: '',
      records: bench.records,
      onLine: () => {},
    })

  test('refuses a second init, a run before it, other requests and other programs', async () => {
    const runtime = await start()
    const entry = bench.write('exports.main = () => ({ ok: true })') + '/dist/index.js'
    const init = { ...runtime, path: '/init', body: { value: { entry, env: {} } } } as const
    const call = { ...runtime, path: '/run', body: { value: {} } } as const
    expect(await post(call)).toMatchObject({ status: 403, text: '{"error":"System not ready, status is new."}' })
    expect(await post({ ...init, key: 'guessed' })).toMatchObject({ status: 401 })
    expect(await post(init)).toMatchObject({ status: 200, text: '{"OK":true,"variables":[],"settingIssues":[],"scopes":[]}' })
    expect(await post(init)).toMatchObject({ status: 403, text: '{"error":"Cannot initialize the action more than once."}' })
    expect(await post(call)).toMatchObject({ status: 200, text: '{"ok":true}' })
    expect(await post({ ...call, path: '/other' as string as '/run' })).toMatchObject({ status: 404 })
    runtime.signal('SIGKILL')
    expect(await runtime.gone).toBe('SIGKILL')
  })

  test('takes one call at a time', async () => {
    const container = await start()
    const entry =
      bench.write('exports.main = () => new Promise(() => require("node:fs").writeFileSync(process.env.HOME + "/begun", ""))') + '/dist/index.js'
    await post({ ...container, path: '/init', body: { value: { entry, env: {} } } })
    const first = post({ ...container, path: '/run', body: { value: {} } }).catch(() => 'cut off')
    await expect.poll(() => existsSync(`${bench.home}/begun`), PATIENTLY).toBe(true)
    expect((await post({ ...container, path: '/run', body: { value: {} } })).text).toBe('{"error":"System not ready, status is busy."}')
    container.signal('SIGKILL')
    expect(await first).toBe('cut off')
    await container.gone
  })
})

describe('a container', () => {
  test('is killed when it exceeds its memory', async () => {
    const container = await bench.start('exports.main = ({ mb }) => ({ length: Buffer.alloc(mb * 1024 * 1024, 1).length })', { memoryMb: 128 })
    expect(resultOf(await run(container, { mb: 1 }))).toEqual({ length: 1024 * 1024 })
    expect(await run(container, { mb: 200 })).toEqual({ end: 'discarded', reason: 'exhausted its memory of 128 MB' })
    expect([container.isUsable(), processIdentity(container.pid)]).toEqual([false, undefined])
  })

  test('keeps what is printed before a crash, and counts none of it as memory', async () => {
    const container = await bench.start(
      `exports.main = () => {
         for (let n = 0; n < 50000; n += 1) console.log('x'.repeat(1000), n)
         setImmediate(() => { throw new Error('crash') })
         return new Promise(() => {})
       }`,
      { memoryMb: 128 },
    )
    expect(await run(container, {})).toEqual({ end: 'discarded', reason: 'exited unexpectedly (exit code 1)' })
    expect(bench.lines.filter(({ stream }) => stream === 'stdout')).toHaveLength(50_000)
  })

  test('ends at its time limit, however busy it is', async () => {
    const container = await bench.start('exports.main = () => { for (;;); }', { timeoutMs: 2_000 })
    expect(await run(container)).toEqual({ end: 'discarded', reason: 'exceeded its time limit of 2000 ms' })
    expect(processIdentity(container.pid)).toBeUndefined()
  })

  test('fails the next call when it crashes after its answer', async () => {
    const container = await bench.start('exports.main = () => { setTimeout(() => { throw new Error("too late") }, 1); return { ok: true } }')
    expect(resultOf(await run(container))).toEqual({ ok: true })
    await expect.poll(() => processIdentity(container.pid), PATIENTLY).toBeUndefined()
    expect(container.isUsable()).toBe(true)
    expect(await run(container)).toEqual({ end: 'discarded', reason: 'exited unexpectedly (exit code 1)' })
    expect(container.isUsable()).toBe(false)
    expect(bench.lines.map(({ line }) => line).join('\n')).toContain('Error: too late')
  })

  test.runIf(HAS_PROC)('stands still while it is paused, with what it has started', async () => {
    const container = await bench.start(
      `const child = require('node:child_process').spawn('sleep', ['60']); exports.main = () => ({ child: child.pid })`,
    )
    const { child } = resultOf(await run(container)) as { child: number }
    container.pause()
    await expect.poll(() => [container.pid, child].map(stateOf), PATIENTLY).toEqual(['T', 'T'])
    expect(resultOf(await run(container))).toEqual({ child })
    await container.destroy()
    await expect.poll(() => processIdentity(child), PATIENTLY).toBeUndefined()
  })

  test('takes what it has started with it when it crashes', async () => {
    const container = await bench.start(
      `const child = require('node:child_process').spawn('sleep', ['60']); exports.main = ({ crash }) => (crash ? process.exit(3) : { child: child.pid })`,
    )
    const { child } = resultOf(await run(container)) as { child: number }
    await run(container, { crash: true })
    await expect.poll(() => processIdentity(child), PATIENTLY).toBeUndefined()
  })

  test('is destroyed while it is paused', async () => {
    const container = await bench.start('exports.main = () => ({})')
    container.pause()
    await container.destroy()
    expect(processIdentity(container.pid)).toBeUndefined()
    await container.destroy()
  })

  test('labels its lines with the call', async () => {
    const container = await bench.start('exports.main = ({ n }) => { console.log(n); console.error(n); return {} }')
    await run(container, { n: 1 })
    await run(container, { n: 2 })
    const ids = bench.lines.map(({ activationId }) => activationId)
    expect(bench.lines.map(({ stream, line }) => `${stream} ${line}`).sort()).toEqual(['stderr 1', 'stderr 2', 'stdout 1', 'stdout 2'])
    expect(new Set(ids).size).toBe(2)
    expect(ids[0]).toMatch(/^[0-9a-f]{32}$/)
  })

  test('keeps an error as one, with its own fields', async () => {
    const container = await bench.start('exports.main = () => { throw Object.assign(new RangeError("broken"), { code: "E_X" }) }')
    const end = await run(container)
    const { error } = end as { error: Error & { code?: string } }
    expect([error instanceof Error, error.name, error.message, error.code]).toEqual([true, 'RangeError', 'broken', 'E_X'])
    expect(error.stack).toContain('dist/index.js')
  })

  test('ends by itself when the process that started it is gone', async () => {
    const runtime = await startRuntime({
      program: bench.program,
      folder: bench.write('exports.main = () => ({})'),
      home: bench.home,
      apiHost: '',
      records: bench.records,
      onLine: () => {},
    })
    runtime.disconnect()
    expect(await runtime.gone).toBe('exit code 0')
  })
})
