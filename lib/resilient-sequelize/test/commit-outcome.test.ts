import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { GuardedClient } from '../src/wire/guarded-client.ts'
import type { Lease } from '../src/pool/lease.ts'
import { resolveCommit } from '../src/transaction/commit-outcome.ts'
import { isSameIncarnation } from '../src/wire/session-identity.ts'
import { openDeadline } from '../../invocation/src/deadline.ts'

const same = { systemId: '1', timeline: 3, serverStart: '100', checkpoint: '0/1', statsReset: '99' }
const identity = { ...same, xid: '7', position: '0/20', pid: 11, backendStart: '101', transactionStart: '102' }
const promoted = { ...same, timeline: 4, serverStart: '50', checkpoint: '0/3', statsReset: '40', replayed: true }
const standby = { ...promoted, timeline: null, status: 'standby', replayed: false }

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-24T08:00:00Z') })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Asks a server that gives these answers, one per look; tells what it was sent and how its connections were given back. */
async function resolve(answers: (object | Error)[], remainingMs = 1_000) {
  const sent: string[] = []
  const bounds: number[] = []
  const givenBack: string[] = []
  let answered: object | undefined
  const sendRaw = async (text: string, _values: unknown, { timeoutMs }: { timeoutMs: number }) => {
    bounds.push(timeoutMs)
    if (text.includes('pg_terminate_backend')) return void sent.push('end session')
    if (text.includes('pg_last_wal_replay_lsn')) return { rows: [answered] }
    sent.push('ask')
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    if (answer instanceof Error) throw answer
    answered = answer
    return { rows: [answer] }
  }
  const lease = async () =>
    ({
      connection: { sendRaw } as unknown as GuardedClient,
      release: () => void givenBack.push('released'),
      destroy: () => void givenBack.push('destroyed'),
    }) as unknown as Lease
  const deadline = openDeadline({ remainingMs, reserveMs: 0 })
  const outcome = resolveCommit({ identity, deadline, lease })
  await vi.advanceTimersByTimeAsync(2_000)
  const { kind } = await outcome
  return { outcome: kind, sent, givenBack, bounds }
}

describe('resolveCommit', () => {
  it.each([
    ['committed', same, 'committed'],
    ['committed', { ...same, checkpoint: '0/2' }, 'committed'],
    ['committed', { ...same, statsReset: '102' }, 'committed'],
    ['committed', { ...same, checkpoint: '0/2', statsReset: null }, 'ended'],
    ['committed', { ...same, serverStart: '200' }, 'ended'],
    ['committed', { ...same, checkpoint: '0/2', statsReset: '102' }, 'ended'],
    ['committed', promoted, 'committed'],
    ['committed', { ...promoted, replayed: false }, 'ended'],
    ['committed', { ...promoted, timeline: 5 }, 'ended'],
    ['aborted', same, 'rolled-back'],
    ['aborted', { ...same, serverStart: '200', checkpoint: '0/2' }, 'rolled-back'],
    ['aborted', promoted, 'rolled-back'],
    ['in progress', promoted, 'rolled-back'],
    ['forgotten', same, 'ended'],
  ])('takes %j of the server %j for %s', async (status, server, outcome) => {
    expect(await resolve([{ status, ...server }])).toMatchObject({ outcome, sent: ['ask'], givenBack: ['released'] })
  })

  it('takes an id that the server has not given out yet for rolled back', async () => {
    const refused = Object.assign(new Error('transaction ID 7 is in the future'), { code: '22023' })
    expect(await resolve([refused])).toMatchObject({ outcome: 'rolled-back', sent: ['ask'], givenBack: ['released'] })
  })

  it.each(['standby', 'stranger', 'superseded'])('asks elsewhere while a server cannot know: %s', async status => {
    const { outcome, sent, givenBack } = await resolve([
      { ...standby, status },
      { ...standby, status },
      { status: 'committed', ...promoted },
    ])
    expect(outcome).toBe('committed')
    expect(sent).toEqual(['ask', 'ask', 'ask'])
    expect(givenBack).toEqual(['destroyed', 'destroyed', 'released'])
  })

  it('gives up at the deadline where only a standby answers', async () => {
    expect((await resolve([standby])).outcome).toBe('unknown')
  })

  it('asks again while it is in progress, and ends its session only then', async () => {
    const running = { status: 'in progress', ...same }
    const { outcome, sent } = await resolve([running, running, { status: 'committed', ...same }])
    expect(outcome).toBe('committed')
    expect(sent).toEqual(['ask', 'end session', 'ask', 'end session', 'ask'])
  })

  it('gives up at the deadline what stays in progress', async () => {
    expect((await resolve([{ status: 'in progress', ...same }])).outcome).toBe('unknown')
  })

  it('leaves time to ask over another connection whenever one is silent', async () => {
    const running = { status: 'in progress', ...same }
    const { bounds } = await resolve([running, { status: 'committed', ...same }], 10_000)
    expect(bounds).toEqual([1_500, 1_500, 1_500])
  })

  it('asks again over another connection when one fails, and drops that one', async () => {
    const { outcome, givenBack } = await resolve([new Error('Connection terminated unexpectedly'), { status: 'aborted', ...same }])
    expect(outcome).toBe('rolled-back')
    expect(givenBack).toEqual(['destroyed', 'released'])
  })
})

describe('isSameIncarnation', () => {
  it('tells servers whose statistics were never reset apart by the checkpoint alone', () => {
    const never = { ...same, statsReset: null }
    expect(isSameIncarnation(never, never)).toBe(true)
    expect(isSameIncarnation(never, { ...never, checkpoint: '0/2' })).toBe(false)
  })
})
