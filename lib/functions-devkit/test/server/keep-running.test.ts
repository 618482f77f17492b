import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { keepRunning } from '../../src/server/keep-running.ts'

const START = Date.parse('2026-11-24T12:00:00Z')
const TO_DO = 'Press Ctrl-C and run npm start again; the data stays'

let lines: string[]
let calls: string[]
let runs: boolean
let start: () => Promise<void>

beforeEach(() => {
  vi.useFakeTimers({ now: START })
  lines = []
  calls = []
  runs = true
  start = async () => void (runs = true)
})

afterEach(() => vi.useRealTimers())

function keep() {
  const server = {
    hasEnded: () => !runs,
    start: async () => {
      calls.push('start')
      await start()
    },
    end: () => void calls.push('end'),
    kill: () => void calls.push('kill'),
  }
  return keepRunning(server, { name: 'Redis', port: 6379, report: line => void lines.push(line) })
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

test('a server that has ended is started again, with one line', async () => {
  keep()
  await pass(60_000)
  expect([lines, calls]).toEqual([[], []])
  runs = false
  await pass(60_000)
  expect(lines).toEqual(['Redis has ended: it is started again on port 6379'])
  expect(calls).toEqual(['start'])
})

test('one that does not start again is given up with what to do', async () => {
  keep()
  start = () => Promise.reject(new Error('Its data cannot be read'))
  runs = false
  await pass(60_000)
  expect(lines.slice(1)).toEqual([`Redis does not start again: Its data cannot be read. ${TO_DO}`])
  expect(calls).toEqual(['start'])
})

test('one that always ends at once is given up', async () => {
  keep()
  start = () => Promise.resolve()
  await pass(60_000)
  runs = false
  await pass(600_000)
  expect(calls).toHaveLength(6)
  expect(lines.at(-1)).toBe(`Redis ended 6 times within 10 s of its start. ${TO_DO}`)
})

test('one that ends from time to time is started each time', async () => {
  keep()
  for (let times = 0; times < 20; times += 1) {
    await pass(60_000)
    runs = false
  }
  await pass(60_000)
  expect(calls).toHaveLength(20)
})

test('none is started after the end, and the one being started ends', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const kept = keep()
  start = () => promise
  runs = false
  await pass(1_000)
  const ended = kept.end()
  await pass(1_000)
  expect(calls).toEqual(['start'])
  resolve()
  await ended
  await pass(60_000)
  expect(calls).toEqual(['start', 'end'])
})

test('none is started after a kill', async () => {
  const kept = keep()
  runs = false
  kept.kill?.()
  await pass(60_000)
  expect(calls).toEqual(['kill'])
})
