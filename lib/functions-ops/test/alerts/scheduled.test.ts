import { describe, expect, it } from 'vitest'
import type { Health } from '../../src/health/health.ts'
import { runSchedule, withHealth, type HealthUnderTest } from '../../../functions-devkit/test/support/health.ts'
import { startReceiver, type Receiver } from '../../../functions-devkit/test/support/receiver.ts'
import { hasRedis, startRedis } from '../../../functions-devkit/test/support/redis.ts'

const secret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`
const redisThere = hasRedis()

interface Alerted extends HealthUnderTest {
  receiver: Receiver
}

async function withReceiver(work: (subject: Alerted) => Promise<void>, variables: Readonly<Record<string, string>> = {}): Promise<void> {
  const signed = variables.ALERT_FORMAT === 'slack' ? {} : { ALERT_SECRET: secret }
  const receiver = await startReceiver(variables.ALERT_FORMAT === 'slack' ? {} : { secret })
  try {
    await withHealth(subject => work({ ...subject, receiver }), { variables: { ALERT_URL: receiver.url, ...signed, ...variables } })
  } finally {
    await receiver.stop()
  }
}

const outage = ({ proxy }: HealthUnderTest) => proxy.addFault({ on: 'connect', when: 'accept', action: 'reset', times: 100_000 })
const told = ({ receiver }: Alerted) => receiver.alerts.map(({ type, data }) => `${type} ${data.code}`)
const kinds = ({ receiver }: Alerted, code: string) => receiver.alerts.filter(({ data }) => data.code === code).map(({ type }) => type)

/** Three rounds of an outage, each in every container, and two after it. */
async function liveThrough(subject: Alerted, containers: readonly Health[]): Promise<void> {
  const fault = outage(subject)
  for (let round = 0; round < 3; round += 1) {
    for (const container of containers) expect(await runSchedule(container)).toMatchObject({ status: 'fail', recorded: false })
  }
  fault.remove()
  for (let round = 0; round < 2; round += 1) {
    for (const container of containers) expect(await runSchedule(container)).toMatchObject({ status: 'pass', recorded: true })
  }
}

describe('alerts of an outage', { concurrent: true, timeout: 60_000 }, () => {
  it.skipIf(!redisThere)('are one, and one recovery, whatever container notices, with Redis', async () => {
    const redis = await startRedis()
    try {
      await withReceiver(
        async subject => {
          await liveThrough(subject, [subject.container(), subject.container(), subject.container()])
          expect(told(subject)).toEqual(['alert.raised database-unavailable', 'alert.recovered database-unavailable'])
          expect(subject.receiver.alerts[0]?.data).toMatchObject({ severity: 'critical', observed: 1, threshold: 1 })
        },
        { REDIS_URL: redis.url },
      )
    } finally {
      await redis.stop()
    }
  })

  it('are one for each container, and one recovery, without anybody who remembers', async () => {
    await withReceiver(async subject => {
      await liveThrough(subject, [subject.container(), subject.container()])
      expect(kinds(subject, 'database-unavailable')).toEqual(['alert.raised', 'alert.raised', 'alert.recovered', 'alert.recovered'])
    })
  })

  it('wait for as many failures in a row as are asked for', async () => {
    await withReceiver(
      async subject => {
        const container = subject.container()
        const fault = outage(subject)
        await runSchedule(container)
        await runSchedule(container)
        expect(told(subject)).toEqual([])
        await runSchedule(container)
        expect(subject.receiver.alerts).toMatchObject([{ type: 'alert.raised', data: { observed: 3, threshold: 3 } }])
        fault.remove()
      },
      { ALERT_DATABASE_FAILURES: '3' },
    )
  })

  it('are decided again as long as nobody took them, and no check or probe waits for a receiver that is silent', async () => {
    await withReceiver(async subject => {
      const { receiver, lines } = subject
      const container = subject.container()
      const fault = outage(subject)
      for (const how of ['silent', 500, 302] as const) {
        receiver.behave(how)
        const running = runSchedule(container)
        // Probes are answered meanwhile, by what the check has seen.
        const settled = { check: false }
        void running.then(() => (settled.check = true))
        expect((await container.ready({})).statusCode).toBe(503)
        expect(settled.check).toBe(false)
        expect((await running).alerts.undelivered).toContain('database-unavailable')
      }
      expect(kinds(subject, 'database-unavailable')).toEqual([])
      receiver.behave(204)
      expect((await runSchedule(container)).alerts.raised).toContain('database-unavailable')
      expect(kinds(subject, 'database-unavailable')).toEqual(['alert.raised'])
      fault.remove()
      const log = JSON.stringify(lines)
      expect(log).toContain('not-delivered')
      for (const hidden of ['s3cret-path', secret, receiver.url]) expect(log).not.toContain(hidden)
    })
  })

  it('are words for Slack, without a signature', async () => {
    await withReceiver(
      async subject => {
        const fault = outage(subject)
        await runSchedule(subject.container())
        fault.remove()
        expect(subject.receiver.texts.map(text => JSON.parse(text) as unknown)).toMatchObject([
          { text: '[critical] database-unavailable: The database fails its health check. (1, threshold 1)' },
        ])
      },
      { ALERT_FORMAT: 'slack' },
    )
  })
})

describe('alerts of the fleet', { concurrent: true, timeout: 60_000 }, () => {
  it('are raised once by any container and recover once, since the database remembers', async () => {
    await withReceiver(
      async subject => {
        const { database, container, receiver } = subject
        const count = (name: string, label: string, outcome: string, many: number) =>
          database.query(
            "INSERT INTO operation_counters (minute, function, name, label, outcome, count) VALUES (date_trunc('minute', now() - interval '1 minute'), 'api/user', $1, $2, $3, $4)",
            [name, label, outcome, many],
          )
        await count('retries', 'a', '', 60)
        await count('retries', 'b', '', 50)
        await count('fallbacks', 'a', '', 99)
        await count('operations', 'a', 'database-busy', 10)
        await count('breaker-changes', 'open', '', 1)
        await database.query(
          `INSERT INTO webhook_events (id, source, external_id, type, received_at, outcome, next_attempt_at) VALUES
           (gen_random_uuid(), 'demo', '1', 't', now(), 'failed', NULL), (gen_random_uuid(), 'demo', '2', 't', now(), NULL, now() - interval '1 hour')`,
        )
        const raised = [
          'retries-high',
          'pool-exhausted',
          'breaker-open',
          'events-parked',
          'event-overdue',
          'certificate-expiring',
          'connections-high',
        ]
        const containers = [container(), container()]
        for (const each of containers) await runSchedule(each)
        expect(told(subject).sort()).toEqual(raised.map(code => `alert.raised ${code}`).sort())
        expect(receiver.alerts.find(({ data }) => data.code === 'retries-high')?.data).toMatchObject({ observed: 110, threshold: 100 })
        await database.query('DELETE FROM webhook_events')
        await database.query("UPDATE operation_counters SET minute = minute - interval '5 minutes' WHERE function = 'api/user'")
        for (const each of containers) await runSchedule(each)
        const over = ['retries-high', 'pool-exhausted', 'breaker-open', 'events-parked', 'event-overdue']
        expect(told(subject).slice(raised.length).sort()).toEqual(over.map(code => `alert.recovered ${code}`).sort())
        const [row] = await database.query<{ counted: object }>('SELECT counted FROM health_checks ORDER BY id LIMIT 1')
        expect(row?.counted).toMatchObject({ retries: 110, fallbacks: 99, 'operations database-busy': 10, 'breaker-changes open': 1 })
      },
      { ALERT_CERTIFICATE_DAYS: '3650', ALERT_CONNECTIONS_PERCENT: '1' },
    )
  })

  it('miss nothing that was counted while a check was left out', async () => {
    await withReceiver(async subject => {
      const { database, container } = subject
      const count = (minutesAgo: number, many: number) =>
        database.query(
          "INSERT INTO operation_counters (minute, function, name, label, outcome, count) VALUES (date_trunc('minute', now()) - make_interval(mins => $1), 'api/user', 'retries', 'a', '', $2)",
          [minutesAgo, many],
        )
      const check = (minutesAgo: number) =>
        database.query(
          "INSERT INTO health_checks (checked_at, status, checks, counted) VALUES (now() - make_interval(mins => $1), 'pass', '{}', '{}')",
          [minutesAgo],
        )
      // Every five minutes there is a check; the last one was nine minutes ago, and what came before it was told then.
      await check(9)
      await count(7, 60)
      await count(2, 40)
      await count(11, 1_000)
      await runSchedule(container())
      const [row] = await database.query<{ counted: object }>('SELECT counted FROM health_checks ORDER BY id DESC LIMIT 1')
      expect(row?.counted).toMatchObject({ retries: 100 })
      expect(told(subject)).toEqual(['alert.raised retries-high'])
    })
  })

  it.skipIf(!redisThere)('tell of a buffer that nothing drains', async () => {
    const redis = await startRedis()
    try {
      await withReceiver(
        async subject => {
          const container = subject.container()
          const [seconds = ''] = await redis.command<string[]>('TIME')
          const buffered = async (secondsAgo: number) => {
            await redis.command('DEL', '{webhooks}:events')
            await redis.command('XADD', '{webhooks}:events', `${Number(seconds) - secondsAgo}000-0`, 'entry', 'e', 'size', '1')
            await redis.command('XADD', '{webhooks}:events', '*', 'entry', 'e', 'size', '1')
          }
          await buffered(600)
          await runSchedule(container)
          expect(told(subject)).toEqual([])
          await buffered(901)
          await runSchedule(container)
          expect(told(subject)).toEqual(['alert.raised buffer-stuck'])
          await redis.command('DEL', '{webhooks}:events')
          await runSchedule(container)
          expect(told(subject)).toEqual(['alert.raised buffer-stuck', 'alert.recovered buffer-stuck'])
        },
        { REDIS_URL: redis.url },
      )
    } finally {
      await redis.stop()
    }
  })

  it.skipIf(!redisThere)('tell of a buffer that fills up', async () => {
    const redis = await startRedis()
    try {
      await withReceiver(
        async subject => {
          const container = subject.container()
          await redis.command('SET', '{webhooks}:bytes', String(524_287))
          await runSchedule(container)
          expect(told(subject)).toEqual(['alert.raised buffer-filling'])
          await redis.command('SET', '{webhooks}:bytes', '0')
          await runSchedule(container)
          expect(told(subject)).toEqual(['alert.raised buffer-filling', 'alert.recovered buffer-filling'])
        },
        { REDIS_URL: redis.url, BUFFER_MAX_BYTES: String(1024 * 1024) },
      )
    } finally {
      await redis.stop()
    }
  })
})

describe('the heartbeat', { concurrent: true }, () => {
  it('is given once for each run, also while the database is away, and not given by probes', async () => {
    const beats = await startReceiver()
    try {
      await withHealth(
        async subject => {
          const container = subject.container()
          await container.ready({})
          expect(beats.texts).toEqual([])
          expect(await runSchedule(container)).toMatchObject({ heartbeat: true })
          const fault = outage(subject)
          await subject.database.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'api/health%'",
          )
          expect(await runSchedule(container)).toMatchObject({ status: 'fail', heartbeat: true })
          expect(beats.texts).toEqual(['GET /hook/s3cret-path', 'GET /hook/s3cret-path'])
          beats.behave(500)
          expect(await runSchedule(container)).toMatchObject({ heartbeat: false })
          fault.remove()
        },
        { variables: { HEARTBEAT_URL: beats.url } },
      )
    } finally {
      await beats.stop()
    }
  })
})
