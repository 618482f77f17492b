import { describe, expect, it } from 'vitest'
import type { GuardedClient } from '../src/wire/guarded-client.ts'
import { CrowdingGuard } from '../src/pool/crowding-guard.ts'
import { createLogger } from '../../functions-runtime/src/telemetry/logger.ts'

const START = Date.parse('2026-01-01T00:00:00Z')
const CAPACITY = 100

/** A guard on a server that a test fills as it likes; jitter is none unless `random` says otherwise. */
function subject({ random = 0, crowdedAt = 0.8 }: { random?: number; crowdedAt?: number } = {}) {
  const clock = { now: START }
  const server: { sessions: number; fails?: boolean } = { sessions: 0 }
  let looks = 0
  const guard = new CrowdingGuard({
    crowdedAt,
    logger: createLogger({ name: 'test', level: 'silent' }),
    now: () => clock.now,
    random: () => random,
  })
  const connect = () =>
    ({
      sendRaw: async () => {
        looks += 1
        if (server.fails) throw new Error('permission denied')
        return { rows: [{ sessions: server.sessions, capacity: CAPACITY }] }
      },
    }) as unknown as GuardedClient
  const client = connect()
  const look = async (sessions: number, on = client) => {
    server.sessions = sessions
    guard.look(on)
    await guard.seen()
    return guard.crowded
  }
  return { guard, clock, server, client, connect, look, looks: () => looks }
}

describe('a crowding guard', () => {
  it('keeps the connection until it has seen a crowd', () => {
    expect(subject().guard.crowded).toBe(false)
  })

  it('is crowded from its mark on', async () => {
    expect(await subject().look(79)).toBe(false)
    expect(await subject().look(80)).toBe(true)
  })

  it('stays crowded until a tenth of the server has become free again', async () => {
    const { look, connect } = subject()
    expect(await look(80)).toBe(true)
    expect(await look(71, connect())).toBe(true)
    expect(await look(69, connect())).toBe(false)
    expect(await look(79, connect())).toBe(false)
  })

  it('finds the end of a crowd however low its mark is', async () => {
    const { look, connect } = subject({ crowdedAt: 0.05 })
    expect(await look(5)).toBe(true)
    expect(await look(1, connect())).toBe(false)
  })

  it.each([0, 1])('looks on connecting, and then at most once a minute (jitter %d)', async random => {
    const { look, looks, clock, connect } = subject({ random })
    await look(1)
    clock.now += 59_999
    await look(1)
    expect(looks()).toBe(1)
    await look(1, connect())
    expect(looks()).toBe(2)
    clock.now += 75_000
    await look(1)
    expect(looks()).toBe(3)
  })

  it('spreads the looks of a fleet', async () => {
    const { look, looks, clock } = subject({ random: 1 })
    await look(1)
    clock.now += 74_999
    await look(1)
    expect(looks()).toBe(1)
  })

  it('looks again although the clock was set back by hours', async () => {
    const { look, looks, clock } = subject()
    await look(1)
    clock.now -= 7_200_000
    await look(90)
    expect(looks()).toBe(2)
  })

  it('keeps the connection when it may not see', async () => {
    const { look, server, guard, clock } = subject()
    server.fails = true
    expect(await look(99)).toBe(false)
    expect(guard.newest).toBeUndefined()
    server.fails = false
    clock.now += 60_000
    expect(await look(99)).toBe(true)
    expect(guard.newest).toEqual({ sessions: 99, capacity: CAPACITY, at: clock.now })
  })

  it('takes a server without a connection left for crowded, for a minute or until it has seen otherwise', async () => {
    const { guard, clock, look } = subject()
    guard.noteFull()
    expect(guard.crowded).toBe(true)
    clock.now += 60_000
    expect(guard.crowded).toBe(false)
    guard.noteFull()
    clock.now -= 1
    expect(guard.crowded).toBe(false)
    guard.noteFull()
    expect(await look(75)).toBe(true)
    expect(await subject().look(75)).toBe(false)
  })
})
