import { describe, expect, it } from 'vitest'
import type { Health } from '../../src/health/health.ts'
import { createRound } from '../../src/health/round.ts'
import { knowing, observations, withHealth, type HealthUnderTest } from '../../../functions-devkit/test/support/health.ts'

// What probes owe their watchers: the truth within ten seconds of a change, and every answer within its bound.
const TRUTH_MS = 10_000
const BOUND_MS = 5_000

/** Something that goes wrong; resolves to what makes it good again. */
type Fault = (subject: HealthUnderTest) => Promise<() => Promise<unknown> | void>

const onProxy =
  (...faults: Parameters<HealthUnderTest['proxy']['addFault']>[0][]): Fault =>
  async ({ proxy, database }) => {
    const added = faults.map(fault => proxy.addFault({ ...fault, times: 1_000 }))
    await database.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'api/health%'",
    )
    return () => added.forEach(fault => fault.remove())
  }

const refusal = (code: string, message: string) => ({ error: { severity: 'FATAL' as const, code, message } })

const faults: readonly [string, Fault, { status: 'fail' | 'warn'; output: RegExp }][] = [
  ['nobody accepts', onProxy({ on: 'connect', when: 'accept', action: 'reset' }), { status: 'fail', output: /^ECONN|EPIPE|in-time/ }],
  ['the network is silent', onProxy({ on: 'connect', when: 'accept', action: 'silence' }), { status: 'fail', output: /^no-answer-in-time$/ }],
  [
    'the server is silent',
    onProxy({ on: 'statement', when: 'before', matches: /./, action: 'silence' }, { on: 'connect', when: 'tls', action: 'silence' }),
    { status: 'fail', output: /^no-answer-in-time$/ },
  ],
  ['every statement is cut off', onProxy({ on: 'statement', when: 'before', matches: /./, action: 'reset' }), { status: 'fail', output: /./ }],
  [
    'the server starts',
    onProxy({ on: 'connect', when: 'startup', action: refusal('57P03', 'the database system is starting up') }),
    { status: 'fail', output: /^57P03$/ },
  ],
  [
    'the password is wrong',
    onProxy({ on: 'connect', when: 'startup', action: refusal('28P01', 'password authentication failed for user "ann"') }),
    { status: 'fail', output: /^28P01$/ },
  ],
  [
    'the server is full',
    onProxy({ on: 'connect', when: 'startup', action: refusal('53300', 'sorry, too many clients already') }),
    { status: 'warn', output: /^53300|no-answer-in-time$/ },
  ],
  [
    'the server takes no writes',
    async ({ database }) => {
      await database.query(`ALTER DATABASE ${database.name} SET default_transaction_read_only = on`)
      await database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'api/health%'",
      )
      return async () => {
        await database.query('SET default_transaction_read_only = off')
        await database.query(`ALTER DATABASE ${database.name} SET default_transaction_read_only = off`)
        await database.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'api/health%'",
        )
      }
    },
    { status: 'fail', output: /^read-only$/ },
  ],
]

/** Asks ready and database again and again, liveness meanwhile, until both say so; every answer has to come in its bound. */
async function untilTold(health: Health, status: string): Promise<Awaited<ReturnType<Health['database']>>> {
  const until = performance.now() + TRUTH_MS
  for (;;) {
    const startedAt = performance.now()
    const [ready, database] = await Promise.all([health.ready(knowing), health.database(knowing)])
    expect(performance.now() - startedAt).toBeLessThan(BOUND_MS)
    expect(health.alive()).toMatchObject({ statusCode: 200, body: { status: 'pass' } })
    const told = [ready, database].map(({ body }) => (body as { status: string }).status)
    if (told.every(one => one === status)) return database
    if (performance.now() > until) throw new Error(`told ${told.join(', ')} instead of ${status}`)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

describe('probes', { concurrent: true, timeout: 60_000 }, () => {
  it.for(faults)('tell the truth while %s, and afterwards', async ([, fault, { status, output }]) => {
    await withHealth(async subject => {
      const health = subject.container()
      await untilTold(health, 'pass')
      const mend = await fault(subject)
      const answer = await untilTold(health, status)
      expect(answer.statusCode).toBe(status === 'fail' ? 503 : 200)
      expect(observations(answer)['database:responseTime']).toMatchObject({ status, output: expect.stringMatching(output) as string })
      for (const reply of [await health.ready({}), await health.database({})]) expect(reply.body).toEqual({ status })
      await mend()
      await untilTold(health, 'pass')
    })
  })

  it('say unknown of what is hidden, and fail for what is missing', async () => {
    await withHealth(async ({ database, container }) => {
      await database.query('BEGIN')
      await database.query('LOCK TABLE health_checks IN ACCESS EXCLUSIVE MODE')
      const ready = await container().ready(knowing)
      expect(observations(ready)).toMatchObject({
        'database:responseTime': { status: 'pass' },
        'database:migrations': { status: 'pass', observedValue: 0 },
        'schedule:lastRun': { status: 'unknown', output: '57014' },
      })
      expect(ready.statusCode).toBe(200)
      await database.query('COMMIT')
    })
    await withHealth(
      async ({ container }) => {
        const ready = await container().ready(knowing)
        expect(ready.statusCode).toBe(503)
        expect(observations(ready)['database:migrations']).toMatchObject({ status: 'fail', observedUnit: 'pending' })
      },
      { empty: true },
    )
  })

  it('warn of a Redis that is away, since everything else works', async () => {
    await withHealth(async ({ container }) => {
      const ready = await container({ REDIS_URL: 'redis://127.0.0.1:1' }).ready(knowing)
      expect(ready).toMatchObject({ statusCode: 200, body: { status: 'warn' } })
      expect(observations(ready)['redis:responseTime']).toMatchObject({ status: 'fail', output: 'buffer-unreachable' })
    })
  })

  it('warn of a schedule that has vanished within three of its intervals, and of one that never was', async () => {
    await withHealth(async ({ database, container }) => {
      const told = async () => observations(await container({ HEALTH_EVERY_SECONDS: '300' }).ready(knowing))['schedule:lastRun']
      expect(await told()).toMatchObject({ status: 'unknown', observedValue: null })
      await database.query("UPDATE schema_migrations SET applied_at = now() - interval '16 minutes'")
      expect(await told()).toMatchObject({ status: 'warn', observedValue: null })
      const last = (age: string) =>
        database.query("INSERT INTO health_checks (checked_at, status, checks, counted) VALUES (now() - $1::interval, 'pass', '{}', '{}')", [age])
      await last('901 seconds')
      expect(await told()).toMatchObject({ status: 'warn', observedValue: 901, output: 'schedule-vanished' })
      await last('890 seconds')
      expect(await told()).toMatchObject({ status: 'pass' })
    })
  })

  it('share one round among all who ask at once, and keep what it found', async () => {
    await withHealth(async ({ proxy, container }) => {
      const health = container()
      await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? health.ready({}) : health.database({}))))
      await health.ready({})
      const looks = proxy
        .statementFlights()
        .flat()
        .filter(text => text.includes('FROM pg_stat_get_activity'))
      expect(looks).toHaveLength(1)
      expect(proxy.counts().connections).toBe(1)
    })
  })
})

describe('a round', () => {
  it('is shared while it runs and kept for a while, when it failed too, and also after the clock was set back', async () => {
    let runs = 0
    let at = 1_000_000
    const round = createRound(
      async () => {
        runs += 1
        if (runs === 2) throw new Error('away')
        return runs
      },
      { keepMs: 3_000, now: () => at },
    )
    expect(await Promise.all([round(), round()])).toEqual([1, 1])
    at += 2_999
    expect(await round()).toBe(1)
    at += 1
    await expect(round()).rejects.toThrow('away')
    await expect(round()).rejects.toThrow('away')
    expect(runs).toBe(2)
    at -= 60_000
    expect(await round()).toBe(3)
    expect(await round({ fresh: true })).toBe(4)
  })
})
