import { describe, expect, it } from 'vitest'
import { leaseConnection } from '../src/operation/lease-connection.ts'
import type { OperationTools } from '../src/operation/context.ts'
import { DeadlineExceededError } from '../../invocation/src/errors.ts'
import { openDeadline } from '../../invocation/src/deadline.ts'
import { createLogger } from '../../functions-runtime/src/telemetry/logger.ts'

type Met = 'fresh' | 'dead' | Error

/** Leases from a pool that meets these one after the other; tells what became of the connections. */
async function lease(meets: Met[], { remainingMs = 60_000, prove = false } = {}) {
  const seen: string[] = []
  const connection = (met: Met) => ({
    connection: {
      lastAnswerAt: met === 'fresh' ? 0 : -60_000,
      sendRaw: async () => {
        seen.push(`look at ${String(met)}`)
        if (met === 'dead') throw new Error('Connection terminated unexpectedly')
      },
    },
    release: () => void seen.push('release'),
    destroy: () => void seen.push('destroy'),
  })
  const acquire = async () => {
    const met = meets.shift() ?? 'fresh'
    if (met instanceof Error) throw met
    return connection(met)
  }
  const manager = { acquire, now: () => 0, noteFailure: () => undefined, noteDeadConnection: () => undefined }
  const tools = { manager, logger: createLogger({ name: 'test', level: 'silent' }), random: () => 0 } as unknown as OperationTools
  const deadline = openDeadline({ remainingMs, reserveMs: 0 })
  deadline.clear()
  const leased = leaseConnection({ name: 'read', mode: 'read', deadline, signal: new AbortController().signal, prove }, tools)
  const outcome = await leased.then(
    () => 'leased',
    (error: { code: string }) => error.code,
  )
  return { outcome, seen }
}

describe('leaseConnection', () => {
  it('takes a connection that answered lately as it is', async () => {
    expect(await lease(['fresh'])).toEqual({ outcome: 'leased', seen: [] })
  })

  it('looks even at a fresh connection where a proof is asked for', async () => {
    expect(await lease(['fresh'], { prove: true })).toEqual({ outcome: 'leased', seen: ['look at fresh'] })
  })

  it('destroys a connection that is dead and takes the next', async () => {
    expect(await lease(['dead', 'fresh'])).toEqual({ outcome: 'leased', seen: ['look at dead', 'destroy'] })
  })

  it('says nothing of the database when there was no time to begin with', async () => {
    expect(await lease([new DeadlineExceededError()], { remainingMs: 0 })).toEqual({ outcome: 'deadline-exceeded', seen: [] })
  })

  it('says nothing of the database when the wait was too short to tell', async () => {
    expect(await lease([new DeadlineExceededError()])).toEqual({ outcome: 'deadline-exceeded', seen: [] })
  })

  it.each([
    ['53300', 'database-busy'],
    ['57P03', 'database-unavailable'],
  ])('ends with what it met last, %s, and not with the clock that ends the waiting', async (code, outcome) => {
    const met = Object.assign(new Error('not now'), { severity: 'FATAL', code })
    expect(await lease([met, new DeadlineExceededError()])).toEqual({ outcome, seen: [] })
  })
})
