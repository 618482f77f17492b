import { describe, expect, test } from 'vitest'
import { createContext } from '../../../src/server/platform/context.ts'
import { endForWeb, invoke, type Main, type Wait } from '../../../src/server/platform/invoke.ts'
import { type CallEnd } from '../../../src/server/platform/response.ts'

const START = Date.parse('2026-03-01T12:00:00Z')

function fakeTimer() {
  const waits: { ms: number; signal: AbortSignal; pass: () => void }[] = []
  const wait: Wait = (ms, signal) => new Promise<void>(resolve => waits.push({ ms, signal, pass: resolve }))
  return { wait, waits }
}

function call(main: Main, { timeoutMs = 3_000, wait = fakeTimer().wait, now = () => START } = {}) {
  const environment: Record<string, string | undefined> = {}
  const context = createContext({ qualifiedName: 'api/user', timeoutMs, apiHost: 'http://127.0.0.1:8080', now })
  return { environment, context, ...invoke({ main, event: { a: 1 }, context, timeoutMs, environment, wait }) }
}

describe('a call', () => {
  test('hands over event and context and ends with the result', async () => {
    const { ended, context } = call(async (event, given) => ({ event, same: given }))
    expect(await ended).toEqual({ end: 'result', result: { event: { a: 1 }, same: context } })
  })

  test('waits for what main promises and takes what it returns directly', async () => {
    expect(await call(() => ({ direct: true })).ended).toEqual({ end: 'result', result: { direct: true } })
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('no')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
  ] satisfies [string, Main][])('ends as thrown when main %s', async (_how, main) => {
    expect(await call(main).ended).toMatchObject({ end: 'thrown', error: { message: 'no' } })
  })

  test('ends as discarded when the time limit passes first, and settles when main is done', async () => {
    const { wait, waits } = fakeTimer()
    let finish = () => {}
    const { ended, settled } = call(() => new Promise<void>(resolve => (finish = resolve)), { timeoutMs: 1_500, wait })
    expect(waits[0]?.ms).toBe(1_500)
    waits[0]?.pass()
    expect(await ended).toEqual({ end: 'discarded', reason: 'exceeded its time limit of 1500 ms' })
    finish()
    await expect(settled).resolves.toBeUndefined()
  })

  test('leaves no timer behind', async () => {
    const { wait, waits } = fakeTimer()
    await call(async () => ({}), { wait }).ended
    expect(waits[0]?.signal.aborted).toBe(true)
  })
})

describe('the context', () => {
  test('counts down to the time limit', () => {
    let now = START
    const { context } = call(async () => ({}), { timeoutMs: 10_000, now: () => now })
    now += 4_000
    expect(context.getRemainingTimeInMillis()).toBe(6_000)
    expect(context.deadline).toBe(START + 10_000)
  })

  test('is in the environment before main begins', () => {
    const seen: unknown[] = []
    const { environment, context } = call(() => seen.push(Object.keys(environment ?? {})))
    expect(environment).toEqual({
      __OW_NAMESPACE: 'fn-local',
      __OW_ACTION_NAME: '/fn-local/api/user',
      __OW_ACTION_VERSION: '0.0.1',
      __OW_ACTIVATION_ID: context.activationId,
      __OW_TRANSACTION_ID: context.requestId,
      __OW_DEADLINE: String(START + 3_000),
      __OW_API_HOST: 'http://127.0.0.1:8080',
    })
  })

  test('has ids of its own for each call', () => {
    const [one, other] = [call(() => ({})), call(() => ({}))]
    expect(one.context.activationId).not.toBe(other.context.activationId)
    expect(one.context.activationId).toMatch(/^[0-9a-f]{32}$/)
  })
})

describe('a web client', () => {
  test('gets the end of the call when it comes within 30 seconds', async () => {
    expect(await endForWeb(Promise.resolve({ end: 'result', result: {} }), fakeTimer().wait)).toEqual({ end: 'result', result: {} })
  })

  test('is told that it is late after 30 seconds', async () => {
    const { wait, waits } = fakeTimer()
    const end = endForWeb(new Promise<CallEnd>(() => {}), wait)
    expect(waits[0]?.ms).toBe(30_000)
    waits[0]?.pass()
    expect(await end).toEqual({ end: 'late' })
  })
})
