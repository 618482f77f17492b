import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { isHealthRound, startHealthRounds } from '../../../src/server/host/health-round.ts'
import type { Firing } from '../../../src/server/firing.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('the health check is fired at once and every 30 s, one at a time, until it is stopped', async () => {
  const fired: string[] = []
  let end = (): void => undefined
  const fire = (name: string) => {
    fired.push(name)
    return new Promise<Firing>(resolve => (end = () => resolve({} as Firing)))
  }
  const rounds = startHealthRounds({ fire }, ['health'])
  expect(fired).toEqual(['health'])
  await vi.advanceTimersByTimeAsync(60_000)
  expect(fired).toEqual(['health'])
  end()
  await vi.advanceTimersByTimeAsync(30_000)
  expect(fired).toEqual(['health', 'health'])
  end()
  rounds.stop()
  await vi.advanceTimersByTimeAsync(120_000)
  expect(fired).toEqual(['health', 'health'])
})

test('a health check is told from other schedules by the task of its event', () => {
  expect(isHealthRound({ event: { source: 'schedule', task: 'health' } })).toBe(true)
  expect(isHealthRound({ event: { source: 'schedule', task: 'maintenance' } })).toBe(false)
})
