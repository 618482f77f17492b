import { EventEmitter } from 'node:events'
import { describe, expect, test } from 'vitest'
import { onSignals } from '../../src/server/signals.ts'

function setup({ underNpm = false } = {}) {
  const source = new EventEmitter()
  const done: string[] = []
  const clock = { now: Date.parse('2026-03-01T12:00:00Z') }
  onSignals({
    underNpm,
    source,
    now: () => clock.now,
    stop: signal => void done.push(`stop ${signal}`),
    atOnce: signal => void done.push(`at once ${signal}`),
  })
  return { done, clock, send: (signal: NodeJS.Signals) => source.emit(signal, signal) }
}

describe('signals', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('end in order at the first %s and at once at the second', signal => {
    const { send, done } = setup()
    send(signal)
    send(signal)
    expect(done).toEqual([`stop ${signal}`, `at once ${signal}`])
  })

  test('of two kinds count together', () => {
    const { send, done } = setup({ underNpm: true })
    send('SIGINT')
    send('SIGTERM')
    expect(done).toEqual(['stop SIGINT', 'at once SIGTERM'])
  })

  test('that npm passes on right after the terminal count once', () => {
    const { send, done, clock } = setup({ underNpm: true })
    send('SIGINT')
    clock.now += 30
    send('SIGINT')
    expect(done).toEqual(['stop SIGINT'])
    clock.now += 500
    send('SIGINT')
    expect(done).toEqual(['stop SIGINT', 'at once SIGINT'])
  })
})
