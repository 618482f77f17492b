import { describe, expect, it } from 'vitest'
import { DatabaseUnavailableError } from '../src/errors/errors.ts'
import { QueueTime } from '../src/operation/queue-time.ts'
import { DeadlineExceededError } from '../../invocation/src/errors.ts'

const late = new DeadlineExceededError()

/** What is told of an error after 1000 ms, of which so many went by in the queue. */
function after(waits: number[], error: Error): unknown {
  let now = 1_000
  const queue = new QueueTime(() => now)
  for (const waited of waits) queue.add(waited)
  now += 1_000
  return queue.explain(error)
}

describe('the time in the queue', () => {
  it('makes a deadline that passed the full server’s when it was the most of it', () => {
    expect(after([300, 201], late)).toMatchObject({ code: 'database-busy', retryAfterMs: 5_000, cause: late })
    expect(after([300, 200], late)).toBe(late)
    expect(after([], late)).toBe(late)
  })

  it('explains no other error', () => {
    const error = new DatabaseUnavailableError({ retryAfterMs: 1 })
    expect(after([999], error)).toBe(error)
  })
})
