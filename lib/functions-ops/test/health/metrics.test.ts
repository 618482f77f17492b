import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { exposition } from '../../src/health/metrics/exposition.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { runInvocation } from '../../../invocation/src/invocation-scope.ts'
import { main as health } from '../../../functions-devkit/test/application/packages/api/health/index.ts'
import { main as webhook } from '../../../functions-devkit/test/application/packages/api/webhook/index.ts'
import { call, environmentFor, withFunctions } from '../../../functions-devkit/test/support/functions.ts'
import { healthKey, knowing, startHealth } from '../../../functions-devkit/test/support/health.ts'
import { hasPromtool, metricProblems } from '../../../functions-devkit/test/support/promtool.ts'
import { hasRedis, startRedis } from '../../../functions-devkit/test/support/redis.ts'
import { withService } from '../../../functions-devkit/test/support/service.ts'
import { completedTransaction, eventBody, signedHeaders } from '../../../functions-devkit/test/support/webhooks.ts'

const promtool = hasPromtool()
const problemsOf = (text: string) => (promtool ? metricProblems(text) : '')

/** By name and labels, as written. */
function samples(text: string): Record<string, number> {
  const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(lines.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]))
}

async function scrape(): Promise<string> {
  const answer = await call(health, { path: '/metrics', headers: knowing })
  expect(answer).toMatchObject({ statusCode: 200, headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } })
  return answer.body as unknown as string
}

describe('the metrics', () => {
  it('count what happens to operations, connections and the breaker, in whatever container', async () => {
    await withService(
      async ({ database, proxy, service, manager, passTime }) => {
        const within = (remainingMs: number) => openDeadline({ remainingMs, reserveMs: 0 })
        const read = (text = 'SELECT 1 AS one') => service.execute('look', ({ query }) => query(text), { mode: 'read', deadline: within(5_000) })
        await runInvocation(() => read())
        await read('SELECT pg_sleep(0.3)')
        await expect(service.execute('broken', async () => Promise.reject(new Error('no')))).rejects.toThrow('no')
        await service.safeExecute(async () => Promise.reject(new Error('no')), { operationName: 'mail', fallbackValue: undefined })
        proxy.addFault({
          on: 'statement',
          matches: /SELECT 1/,
          when: 'before',
          action: { error: { severity: 'ERROR', code: '40001', message: 'x' } },
        })
        await read()
        proxy.addFault({ on: 'statement', matches: /^START TRANSACTION/, when: 'before', action: 'reset' })
        passTime(6_000)
        await read()
        await (await manager.currentGeneration()).sequelize.close()
        const fault = proxy.addFault({ on: 'connect', when: 'accept', action: 'reset', times: 1_000 })
        const hurried = () => service.execute('look', ({ query }) => query('SELECT 1 AS one'), { mode: 'read', deadline: within(1_800) })
        for (let failed = 0; failed < 2; failed += 1) await expect(hurried()).rejects.toMatchObject({ code: 'database-unavailable' })
        await expect(hurried()).rejects.toMatchObject({ code: 'database-unavailable' })
        fault.remove()
        for (let later = 0; later < 3; later += 1) {
          passTime(11_000)
          await read()
        }
        const watcher = startHealth(environmentFor(database))
        const text = (await watcher.metrics(knowing)).body as string
        await watcher.shutdown()
        const seen = samples(text)
        const of = (name: string, labels = '') => seen[`functions_${name}{function="subject"${labels}}`] ?? 0
        expect(of('operations_total', ',operation="look",outcome="ok"')).toBeGreaterThanOrEqual(6)
        expect(of('operations_total', ',operation="look",outcome="database-unavailable"')).toBe(2)
        expect(of('operations_total', ',operation="look",outcome="refused-by-breaker"')).toBe(1)
        expect(of('operations_total', ',operation="broken",outcome="failed"')).toBe(1)
        expect(of('retries_total', ',operation="look"')).toBeGreaterThanOrEqual(1)
        expect(of('fallbacks_total', ',operation="mail"')).toBe(1)
        expect(of('slow_operations_total', ',operation="look"')).toBeGreaterThanOrEqual(1)
        expect(of('pool_rebuilds_total')).toBe(1)
        expect(of('revalidation_failures_total')).toBeGreaterThanOrEqual(1)
        expect(of('crowded_releases_total')).toBe(1)
        for (const state of ['open', 'probing', 'closed']) expect(of('breaker_changes_total', `,state="${state}"`)).toBe(1)
        expect(seen).toMatchObject({ functions_database_up: 1, 'functions_breaker_state{state="closed"}': 1 })
        expect(problemsOf(text)).toBe('')
      },
      { flush: true, settings: { slowOperationMs: 200 }, profile: { crowdedAt: 0.000_001 } },
    )
  })

  it('count events by source and outcome, and tell what is parked, due and buffered', async () => {
    const redis = hasRedis() ? await startRedis() : undefined
    try {
      await withFunctions(
        [health, webhook],
        async database => {
          const send = (body: string, headers: Record<string, string>) => call(webhook, { method: 'POST', path: '/demo', body, headers })
          const body = completedTransaction()
          const headers = signedHeaders(body)
          await send(body, headers)
          await send(body, headers)
          await send(body, { ...headers, 'webhook-signature': 'v1,AAAA' })
          await send(body, signedHeaders(body, { id: headers['webhook-id'] ?? '' }))
          const poison = eventBody('transaction.completed', { transactionId: 't' })
          await send(poison, signedHeaders(poison))
          await database.query(
            `INSERT INTO webhook_events (id, source, external_id, type, received_at, outcome, next_attempt_at, body) VALUES
             ($1, 'demo', 'parked', 't', now(), 'failed', NULL, NULL), ($2, 'demo', 'due', 't', now(), NULL, now() - interval '90 seconds', NULL)`,
            [randomUUID(), randomUUID()],
          )
          await redis?.command('XADD', '{webhooks}:events', '*', 'entry', 'x', 'size', '1')
          // What was counted last is sent with what comes next.
          const next = completedTransaction()
          await send(next, signedHeaders(next))
          const text = await scrape()
          const seen = samples(text)
          const events = (outcome: string) => seen[`functions_events_total{function="api/webhook",source="demo",outcome="${outcome}"}`] ?? 0
          expect(seen.functions_events_parked).toBeGreaterThanOrEqual(1)
          expect(seen.functions_events_due).toBe(1)
          expect(seen.functions_events_oldest_due_seconds).toBeGreaterThanOrEqual(90)
          expect(events('applied')).toBe(1)
          const buffered =
            redis === undefined
              ? {}
              : {
                  functions_buffer_up: 1,
                  functions_buffer_events: 1,
                  functions_buffer_limit_bytes: 67_108_864,
                }
          expect(seen).toMatchObject(buffered)
          expect(typeof seen.functions_buffer_oldest_seconds).toBe(redis === undefined ? 'undefined' : 'number')
          expect(problemsOf(text)).toBe('')
        },
        { HEALTH_KEY: healthKey, REDIS_URL: redis?.url },
      )
    } finally {
      await redis?.stop()
    }
  })

  it('are still there, with what can be seen, while the database is away', async () => {
    await withFunctions(
      [health],
      async () => {
        const text = await scrape()
        expect(samples(text)).toMatchObject({ functions_database_up: 0, 'functions_breaker_state{state="closed"}': 1 })
        expect(problemsOf(text)).toBe('')
      },
      { HEALTH_KEY: healthKey, DB_PORT: '1' },
    )
  })

  it('show the pool of a long-lived process', async () => {
    await withFunctions(
      [health],
      async () => {
        expect(samples(await scrape())).toMatchObject({
          functions_pool_connections_limit: 3,
          functions_pool_waiting: 0,
          functions_pool_generation: 1,
        })
      },
      { HEALTH_KEY: healthKey, DB_PROFILE: 'server', DB_POOL_MAX: '3', DB_POOL_MIN: '0' },
    )
  })
})

describe('the text of metrics', () => {
  it('escapes what would end a line or a label, and leaves out what has no sample', () => {
    const family = {
      name: 'a_total',
      type: 'counter',
      help: 'a \\ b\nc "d"',
      samples: [{ labels: { x: 'q"\\\n' }, value: 1 }, { value: Infinity }],
    } as const
    expect(exposition([family, { name: 'b', type: 'gauge', help: 'b', samples: [] }])).toBe(
      '# HELP a_total a \\\\ b\\nc "d"\n# TYPE a_total counter\na_total{x="q\\"\\\\\\\\\\\\u{a}"} 1\na_total +Inf\n',
    )
  })

  it.skipIf(!promtool)('is found wrong by promtool when it is', () => {
    expect(metricProblems(exposition([{ name: 'badCounter', type: 'counter', help: '', samples: [{ value: 1 }] }]))).toMatch(/exit status/)
  })
})
