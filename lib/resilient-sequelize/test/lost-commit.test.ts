import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Lease } from '../src/pool/lease.ts'
import { settleLostCommit, type TryWork } from '../src/operation/lost-commit.ts'
import type { OperationTools } from '../src/operation/context.ts'
import { openDeadline } from '../../invocation/src/deadline.ts'
import { createRetryBudget } from '../../invocation/src/retry-budget.ts'
import { createLogger } from '../../functions-runtime/src/telemetry/logger.ts'

const life = { systemId: '1', timeline: 1, serverStart: '100', checkpoint: '0/1', statsReset: '99' }
const identity = { ...life, xid: '7', position: '0/20', pid: 11, transactionStart: '3', backendStart: '101' }
// After a crash the id may be another's: only the row tells.
const crashed = { ...life, status: 'committed', serverStart: '200', checkpoint: '0/2', statsReset: '199', replayed: false }
const lost = { kind: 'open', error: new Error('Connection terminated unexpectedly'), result: { value: 'done' }, identity, afterCommit: [] } as const

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-24T08:00:00Z') })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Settles on a server that has crashed since; each look for the row ends with the next of these. */
async function settle(looks: (boolean | Error)[], identified = true) {
  const budget = createRetryBudget({ capacity: 3 })
  budget.take()
  const connection = { lastAnswerAt: Date.now(), sendRaw: async () => ({ rows: [crashed] }) }
  const lease = { connection, release: () => undefined, destroy: () => undefined } as unknown as Lease
  const manager = { acquire: async () => lease, now: Date.now }
  const tools = { manager, budget, logger: createLogger({ name: 'test', level: 'silent' }) } as unknown as OperationTools
  const tryWork = (async (_options: unknown, given: OperationTools) => {
    if (!given.budget.take()) throw new Error('no token')
    given.budget.refill()
    given.budget.take()
    const look = looks.length > 1 ? looks.shift() : looks[0]
    if (look instanceof Error) throw look
    return look
  }) as TryWork
  const deadline = openDeadline({ remainingMs: 1_000, reserveMs: 0 })
  const settled = settleLostCommit(
    { ...lost, identity: identified ? identity : undefined },
    { name: 'pay', mode: 'write', deadline, signal: deadline.signal, wasCommitted: async () => false },
    tools,
    tryWork,
  ).catch((error: unknown) => error)
  await vi.advanceTimersByTimeAsync(2_000)
  return { settled: await settled, tokens: budget.tokens }
}

it('looks for the row again when a look fails, and takes no failed look for a row that is not there', async () => {
  const { settled } = await settle([new Error('Connection terminated unexpectedly'), true])
  expect(settled).toMatchObject({ kind: 'done', result: 'done' })
})

it('takes a row that is not there, of a transaction that is over, for rolled back', async () => {
  expect((await settle([false])).settled).toMatchObject({ kind: 'failed', error: lost.error })
})

it('leaves open what no look could tell before the deadline', async () => {
  expect((await settle([new Error('Connection terminated unexpectedly')])).settled).toMatchObject({ code: 'commit-unknown' })
})

it('goes on looking for a row that may still come, where nothing tells whether its transaction is over', async () => {
  expect((await settle([false, false, true], false)).settled).toMatchObject({ kind: 'done', result: 'done' })
  expect((await settle([false], false)).settled).toMatchObject({ code: 'commit-unknown' })
})

it('spends no token for replays on looking for the row', async () => {
  expect(await settle([true])).toMatchObject({ settled: { kind: 'done' }, tokens: 2 })
})
