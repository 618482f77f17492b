import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createContext } from '../../src/server/platform/context.ts'
import { invoke, type Main } from '../../src/server/platform/invoke.ts'
import { createSchedules, type ScheduleDescription } from '../../src/server/schedules.ts'
import { type ServedFunction } from '../../src/server/served-function.ts'

const MINUTE_MS = 60_000

beforeEach(() => void vi.useFakeTimers({ now: new Date('2026-11-24T08:58:30Z') }))
afterEach(() => void vi.useRealTimers())

function served(qualifiedName: string, main: Main): ServedFunction {
  const description = { name: qualifiedName, qualifiedName, web: false, timeoutMs: 5_000, memoryMb: 256 }
  return {
    ...description,
    prepare: () => true,
    pool: () => undefined,
    fewConnections: () => undefined,
    settingIssues: () => [],
    call(event) {
      const context = createContext({ ...description, apiHost: '' })
      return { context, ...invoke({ main, event, context, timeoutMs: 5_000, environment: {}, wait: () => new Promise(() => {}) }) }
    },
    shutdown: async () => {},
  }
}

function setup(schedules: Partial<ScheduleDescription>[], main: Main = () => ({})) {
  const lines: string[] = []
  const reports: string[] = []
  const events: unknown[] = []
  const one = served('ops/one', event => {
    events.push(structuredClone(event))
    return main(event)
  })
  const descriptions = schedules.map(schedule => ({
    name: 'every-minute',
    qualifiedName: 'ops/one',
    enabled: true,
    cron: '* * * * *',
    event: {},
    ...schedule,
  }))
  const created = createSchedules({
    descriptions,
    functions: { byQualifiedName: name => (name === 'ops/one' ? one : undefined) },
    print: line => lines.push(line),
    report: message => reports.push(message),
  })
  return { ...created, lines, reports, events }
}

describe('the schedules', () => {
  test('fire by their cron with the event of the trigger, and print a line for each firing', async () => {
    const { start, events, lines } = setup([{ name: 'five', cron: '*/5 * * * *', event: { task: 'health' } }])
    start()
    await vi.advanceTimersByTimeAsync(MINUTE_MS)
    expect(events).toEqual([])
    await vi.advanceTimersByTimeAsync(10 * MINUTE_MS)
    expect(events).toEqual([{ task: 'health' }, { task: 'health' }])
    expect(lines).toEqual(Array(2).fill('Schedule five: ops/one ended well after 0 ms'))
  })

  test('go by UTC, wherever this machine is', async () => {
    const { start, events } = setup([{ cron: '0 9 24 11 *' }])
    vi.stubEnv('TZ', 'Asia/Kathmandu')
    try {
      start()
      await vi.advanceTimersByTimeAsync(2 * MINUTE_MS)
    } finally {
      vi.unstubAllEnvs()
    }
    expect(events).toHaveLength(1)
  })

  test('fire on either day when both a day of the month and a weekday are given, as cron does', async () => {
    // 24 November 2026 is a Tuesday.
    const { start, events } = setup([{ cron: '0 9 1 * 2' }])
    start()
    await vi.advanceTimersByTimeAsync(2 * MINUTE_MS)
    expect(events).toHaveLength(1)
  })

  test('do not fire by themselves when they are not enabled, but when asked to', async () => {
    const { start, events, fire } = setup([{ enabled: false }])
    start()
    await vi.advanceTimersByTimeAsync(5 * MINUTE_MS)
    expect(events).toEqual([])
    expect(await fire('every-minute')).toMatchObject({ outcome: 'ok' })
  })

  test('do not fire before they are started, nor after they are stopped', async () => {
    const { start, stop, events } = setup([{}])
    await vi.advanceTimersByTimeAsync(2 * MINUTE_MS)
    expect(events).toEqual([])
    start()
    await vi.advanceTimersByTimeAsync(MINUTE_MS)
    stop()
    await vi.advanceTimersByTimeAsync(5 * MINUTE_MS)
    expect(events).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('fire though the firing before has not ended: the platform takes another container', async () => {
    const { start, events, lines } = setup([{}], () => new Promise(() => {}))
    start()
    await vi.advanceTimersByTimeAsync(3 * MINUTE_MS)
    expect(events).toHaveLength(3)
    expect(lines).toEqual([])
  })

  test('hand over a fresh event each time', async () => {
    const { fire, events } = setup([{ event: { list: [] } }], event => {
      ;(event.list as unknown[]).push('changed')
      return {}
    })
    await fire('every-minute')
    await fire('every-minute')
    expect(events).toEqual([{ list: [] }, { list: [] }])
  })

  test('are idle once the firings under way have ended', async () => {
    let end = () => {}
    const { fire, idle } = setup([{}], () => new Promise(resolve => (end = () => resolve({}))))
    const settled: string[] = []
    const firing = fire('every-minute')?.then(() => settled.push('firing'))
    const waiting = idle().then(() => settled.push('idle'))
    await vi.advanceTimersByTimeAsync(1_000)
    expect(settled).toEqual([])
    end()
    await Promise.all([firing, waiting])
    expect(settled).toEqual(['firing', 'idle'])
  })

  test('know no others than those of project.yml', () => {
    expect(setup([{}]).fire('another')).toBeUndefined()
  })

  test('are refused when one calls a function that does not exist', () => {
    expect(() => setup([{ qualifiedName: 'ops/two' }])).toThrow('The schedule every-minute calls ops/two, which does not exist')
  })
})

describe('a firing', () => {
  const circular: Record<string, unknown> = {}
  circular.self = circular

  test.each<[string, Main, object, string]>([
    ['a result', () => ({ deleted: 3 }), { outcome: 'ok', result: { deleted: 3 } }, 'ended well after 0 ms'],
    ['no result', () => undefined, { outcome: 'ok', result: {} }, 'ended well after 0 ms'],
    ['an error', () => ({ error: { code: 'x' } }), { outcome: 'failed', error: { code: 'x' } }, 'failed after 0 ms: {"code":"x"}'],
    ['a text', () => 'done', { outcome: 'failed' }, 'failed after 0 ms: resolved to something that is no JSON object of at most 1 MB'],
    ['a list', () => [1], { outcome: 'failed' }, 'failed after 0 ms: resolved to something that is no JSON object of at most 1 MB'],
    ['a circle', () => circular, { outcome: 'failed' }, 'failed after 0 ms: resolved to something that is no JSON object of at most 1 MB'],
  ])('that ends with %s tells so in one line', async (_, main, firing, line) => {
    const { fire, lines, reports } = setup([{}], main)
    expect(await fire('every-minute')).toMatchObject({ schedule: 'every-minute', function: 'ops/one', ms: 0, ...firing })
    expect(lines).toEqual([`Schedule every-minute: ops/one ${line}`])
    expect(reports).toEqual([])
  })

  test('that throws tells the message in its line, keeps the stack for the terminal and rejects nothing', async () => {
    const { fire, lines, reports } = setup([{}], () => {
      throw new Error('two\nlines')
    })
    const firing = await fire('every-minute')
    expect(firing).toMatchObject({ outcome: 'failed', error: { name: 'Error', message: 'two\nlines' } })
    expect(JSON.stringify(firing)).not.toContain('stack')
    expect(lines).toEqual(['Schedule every-minute: ops/one failed after 0 ms: {"name":"Error","message":"two\\nlines"}'])
    expect(reports).toEqual(['ops/one threw'])
  })
})
