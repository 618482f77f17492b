import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import { ApplicationError } from '../../../functions-runtime/src/edge/http-errors.ts'
import { defineHandler } from '../../src/inbox/handler.ts'
import { withInbox } from '../../../functions-devkit/test/support/inbox.ts'
import { readSettings } from '../../../functions-runtime/src/settings/settings.ts'
import { payloadSettings } from '../../src/settings/payload.ts'
import { eventName, open } from '../../src/inbox/payload.ts'
import { composeDelivery } from '../../../functions-devkit/src/server/compose-delivery.ts'
import { localWebhookSecrets } from '../../../functions-devkit/src/server/webhook-secrets.ts'
import type { SourceDefinition } from '../../src/verify/source.ts'
import { sourceTable } from '../../../functions-devkit/test/application/lib/app/webhooks/sources.ts'
import { main } from '../../../functions-devkit/test/application/packages/api/webhook/index.ts'
import { main as maintenance } from '../../../functions-devkit/test/application/packages/ops/maintenance/index.ts'
import type { TestDatabase } from '../../../functions-devkit/test/support/database.ts'
import type { Answer } from '../../../functions-devkit/test/support/answer.ts'
import { call, webhookSecret, withFunctions } from '../../../functions-devkit/test/support/functions.ts'
import { gatherLogLines } from '../../../functions-devkit/test/support/log-lines.ts'
import { hasRedis, startRedis, type RedisServer } from '../../../functions-devkit/test/support/redis.ts'
import { completedTransaction, eventBody, signedHeaders } from '../../../functions-devkit/test/support/webhooks.ts'

const AWAY = { DB_PORT: '1' }
const SHORT = { getRemainingTimeInMillis: () => 2_500 }
const EFFECTS = 'SELECT count(*)::int AS count FROM transactions'

const send = (body: string, id: string, context = {}): Promise<Answer> =>
  call(main, { method: 'POST', path: '/demo', body, headers: signedHeaders(body, { id }) }, context)
const alert = eventBody('alert.raised', { code: 'disk', severity: 'critical' })

const stored = (database: TestDatabase) =>
  database.query('SELECT external_id AS id, outcome, attempts, last_error, next_attempt_at IS NOT NULL AS due FROM webhook_events ORDER BY 1')
const failWith = (database: TestDatabase, raise: string) =>
  database.query(
    `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${raise}; END $$;
     CREATE TRIGGER fail BEFORE INSERT ON transactions FOR EACH ROW EXECUTE FUNCTION fail()`,
  )

describe('with the database there', () => {
  it('applies an event and stores all that is needed to do it again', async () => {
    const key = Buffer.alloc(32, 3).toString('base64')
    await withFunctions(
      [main],
      async database => {
        const body = completedTransaction()
        expect(await send(body, 'msg_1')).toMatchObject({ statusCode: 200, body: { outcome: 'applied' } })
        const [row] = await database.query<{ body: Buffer; headers: object; verdict: string }>('SELECT body, headers, verdict FROM webhook_events')
        expect(row).toMatchObject({ headers: { 'content-type': 'application/json' }, verdict: 'standard' })
        expect(Object.keys(row?.headers ?? {})).not.toContain('webhook-signature')
        expect(row?.body.includes('transaction')).toBe(false)
        const keys = readSettings({ keys: payloadSettings }, { PAYLOAD_KEY: key }).keys
        expect(open(row?.body ?? Buffer.alloc(0), eventName({ source: 'demo', id: 'msg_1' }), keys).toString()).toBe(body)
      },
      { PAYLOAD_KEY: key },
    )
  })

  it('answers the same id again with duplicate and its first outcome', async () => {
    await withFunctions([main], async database => {
      const body = completedTransaction()
      await send(body, 'msg_1')
      expect(await send(body, 'msg_1')).toMatchObject({ statusCode: 200, body: { outcome: 'duplicate', first: 'applied' } })
      const unknown = eventBody('weather.changed', {})
      expect(await send(unknown, 'msg_2')).toMatchObject({ statusCode: 200, body: { outcome: 'ignored' } })
      expect(await send(unknown, 'msg_2')).toMatchObject({ statusCode: 200, body: { outcome: 'duplicate', first: 'ignored' } })
      expect(await database.query(EFFECTS)).toEqual([{ count: 1 }])
    })
  })

  it('keeps the first effect when an id comes again with another body, and warns', async () => {
    await withFunctions(
      [main],
      async database => {
        const lines = await gatherLogLines(async () => {
          await send(completedTransaction({ transactionId: 'txn_1', amount: '1' }), 'msg_1')
          const again = await send(completedTransaction({ transactionId: 'txn_1', amount: '2' }), 'msg_1')
          expect(again).toMatchObject({ statusCode: 200, body: { outcome: 'duplicate', first: 'applied' } })
        })
        expect(lines).toContainEqual(expect.objectContaining({ level: 'warn', event: 'webhook.event-id-reused', eventId: 'msg_1' }))
        expect(await database.query('SELECT amount FROM transactions')).toEqual([{ amount: '1.0000' }])
      },
      { LOG_LEVEL: 'warn' },
    )
  })

  it('waits for an event that is being worked on, and sends its second delivery away when that takes too long', async () => {
    await withFunctions([main], async database => {
      const body = completedTransaction()
      await database.query('BEGIN')
      await database.query(
        "INSERT INTO webhook_events (id, source, external_id, type, received_at) VALUES (gen_random_uuid(), 'demo', 'msg_1', 't', now())",
      )
      // Time for a new connection behind the wait.
      const waiting = await send(body, 'msg_1', { getRemainingTimeInMillis: () => 4_000 })
      expect(waiting).toMatchObject({ statusCode: 503, body: { code: 'event-in-progress' } })
      expect(Number(waiting.headers['retry-after'])).toBeGreaterThanOrEqual(5)
      await database.query('ROLLBACK')
      expect(await send(body, 'msg_1')).toMatchObject({ statusCode: 200, body: { outcome: 'applied' } })
    })
  })

  it('defers an event whose handler goes on failing in a way that may pass', async () => {
    await withFunctions([main], async database => {
      await failWith(database, "RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'")
      const body = completedTransaction()
      expect(await send(body, 'msg_1', SHORT)).toMatchObject({ statusCode: 202, body: { outcome: 'deferred' } })
      // What ends last, the attempts or the time, is chance.
      const code: unknown = expect.stringMatching(/^(database-busy|deadline-exceeded)$/)
      expect(await stored(database)).toEqual([{ id: 'msg_1', outcome: null, attempts: 1, last_error: code, due: true }])
      expect(await send(body, 'msg_1')).toMatchObject({ statusCode: 200, body: { outcome: 'duplicate', first: 'deferred' } })
      expect(await database.query(EFFECTS)).toEqual([{ count: 0 }])
    })
  })

  it('defers an event whose handler runs out of time', async () => {
    await withFunctions([main], async database => {
      await database.query('BEGIN')
      await database.query('LOCK TABLE transactions')
      expect(await send(completedTransaction(), 'msg_1', SHORT)).toMatchObject({ statusCode: 202, body: { outcome: 'deferred' } })
      await database.query('ROLLBACK')
      expect(await stored(database)).toMatchObject([{ id: 'msg_1', outcome: null, due: true }])
    })
  })

  it('replays a failure that passes inside the deadline', async () => {
    await withFunctions([main], async database => {
      await database.query('CREATE SEQUENCE tries')
      await failWith(database, "IF nextval('tries') < 3 THEN RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END IF; RETURN NEW")
      expect(await send(completedTransaction(), 'msg_1')).toMatchObject({ statusCode: 200, body: { outcome: 'applied' } })
    })
  })

  it('tries again what a handler itself calls passing, then defers it', async () => {
    let tries = 0
    const handlers = [
      defineHandler({
        type: 't',
        schema: z.unknown(),
        needsDatabase: true,
        async apply() {
          tries += 1
          throw new ApplicationError('Another user has it.', { code: 'name-taken', status: 409, retryable: true })
        },
      }),
    ]
    await withInbox({ handlers }, async inbox => {
      expect(await inbox.send({ type: 't', data: {} }, { remainingMs: 4_000 })).toMatchObject({ status: 202, body: { outcome: 'deferred' } })
      expect(await inbox.rows()).toMatchObject([{ outcome: null, error: 'name-taken' }])
      expect(tries).toBeGreaterThan(1)
    })
  })

  it('sends the sender away when a failed event cannot be stored either', async () => {
    await withFunctions([main], async database => {
      await failWith(database, "RAISE EXCEPTION 'no'")
      await database.query('ALTER TABLE webhook_events ADD CHECK (outcome IS NOT NULL AND last_error IS NULL)')
      const answer = await send(completedTransaction(), 'msg_1', SHORT)
      expect(answer.statusCode).toBeGreaterThanOrEqual(500)
      expect(await stored(database)).toEqual([])
    })
  })

  it('parks an event whose handler fails for good, and says so loudly', async () => {
    await withFunctions(
      [main],
      async database => {
        await failWith(database, "RAISE EXCEPTION 'no'")
        const lines = await gatherLogLines(async () => {
          expect(await send(completedTransaction(), 'msg_1')).toMatchObject({ statusCode: 200, body: { outcome: 'failed' } })
        })
        expect(lines).toContainEqual(expect.objectContaining({ level: 'error', event: 'webhook.failed', failure: 'permanent', code: 'P0001' }))
        expect(await stored(database)).toEqual([{ id: 'msg_1', outcome: 'failed', attempts: 1, last_error: 'P0001', due: false }])
        expect(await send(completedTransaction(), 'msg_1')).toMatchObject({ statusCode: 200, body: { outcome: 'duplicate', first: 'failed' } })
      },
      { LOG_LEVEL: 'error' },
    )
  })

  it('answers 500 for a parked event where senders are to send again, and takes it up when they do', async () => {
    await withFunctions(
      [main],
      async database => {
        await failWith(database, "RAISE EXCEPTION 'no'")
        const body = completedTransaction()
        expect(await send(body, 'msg_1')).toMatchObject({ statusCode: 500, body: { code: 'event-failed' } })
        expect(await send(body, 'msg_1')).toMatchObject({ statusCode: 500, body: { code: 'event-failed' } })
        await database.query('DROP TRIGGER fail ON transactions')
        expect(await send(completedTransaction(), 'msg_1')).toMatchObject({ statusCode: 200, body: { outcome: 'duplicate', first: 'failed' } })
        expect(await send(body, 'msg_1')).toMatchObject({ statusCode: 200, body: { outcome: 'applied' } })
        expect(await send(body, 'msg_1')).toMatchObject({ statusCode: 200, body: { outcome: 'duplicate', first: 'applied' } })
        expect(await database.query(EFFECTS)).toEqual([{ count: 1 }])
      },
      { WEBHOOK_POISON: '500' },
    )
  })

  it('runs a handler that needs no database, and records its event', async () => {
    await withFunctions(
      [main],
      async database => {
        const lines = await gatherLogLines(async () => {
          expect(await send(alert, 'msg_1')).toMatchObject({ statusCode: 200, body: { outcome: 'applied' } })
          expect(await send(alert, 'msg_1')).toMatchObject({ statusCode: 200, body: { outcome: 'duplicate', first: 'applied' } })
        })
        expect(lines.filter(({ event }) => event === 'alert.raised')).toHaveLength(1)
        expect(await stored(database)).toMatchObject([{ id: 'msg_1', outcome: 'applied' }])
      },
      { LOG_LEVEL: 'warn' },
    )
  })
})

describe('with the database away and no buffer', () => {
  it('sends the sender away, each for another while, and stores nothing', async () => {
    await withFunctions(
      [main],
      async () => {
        const waits = new Set<string>()
        for (let n = 0; n < 8; n += 1) {
          const answer = await send(completedTransaction(), `msg_${n}`, SHORT)
          expect(answer).toMatchObject({ statusCode: 503, body: { code: 'database-unavailable' } })
          waits.add(answer.headers['retry-after'] ?? '')
        }
        expect(waits.size).toBeGreaterThan(1)
        for (const wait of waits) expect(Number(wait)).toBeGreaterThanOrEqual(5)
      },
      AWAY,
    )
  })

  it('runs a handler that needs no database, and says that nothing was recorded', async () => {
    await withFunctions(
      [main],
      async () => {
        const lines = await gatherLogLines(async () => {
          expect(await send(alert, 'msg_1', SHORT)).toMatchObject({ statusCode: 200, body: { outcome: 'applied' } })
        })
        expect(lines.map(({ event }) => event)).toEqual(expect.arrayContaining(['alert.raised', 'webhook.unlogged']))
      },
      { ...AWAY, LOG_LEVEL: 'warn' },
    )
  })
})

describe.skipIf(!hasRedis())('with the database away and a buffer', () => {
  let redis: RedisServer
  const length = () => redis.command<number>('XLEN', '{webhooks}:events')
  const away = (changes: Record<string, string> = {}) => ({ ...AWAY, REDIS_URL: redis.url, ...changes })
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.stop())
  beforeEach(() => redis.command('FLUSHALL'))

  it('buffers the event', async () => {
    await withFunctions(
      [main],
      async () => {
        expect(await send(completedTransaction(), 'msg_1', SHORT)).toMatchObject({ statusCode: 202, body: { outcome: 'buffered' } })
        expect(await length()).toBe(1)
      },
      away(),
    )
  })

  it('runs a handler that needs no database at once, and buffers its event', async () => {
    await withFunctions(
      [main],
      async () => {
        const lines = await gatherLogLines(async () => {
          expect(await send(alert, 'msg_1', SHORT)).toMatchObject({ statusCode: 200, body: { outcome: 'applied' } })
        })
        expect(lines.map(({ event }) => event)).toContain('alert.raised')
        expect(lines.map(({ event }) => event)).not.toContain('webhook.unlogged')
        expect(await length()).toBe(1)
      },
      away({ LOG_LEVEL: 'warn' }),
    )
  })

  it('sends the sender away when the buffer is full, and keeps what it holds', async () => {
    await withFunctions(
      [main],
      async () => {
        const big = (id: string) => send(eventBody('weather.changed', { text: 'x'.repeat(600_000) }), id, SHORT)
        expect(await big('msg_1')).toMatchObject({ statusCode: 202 })
        expect(await big('msg_2')).toMatchObject({ statusCode: 503, body: { code: 'database-unavailable' } })
        expect(await length()).toBe(1)
      },
      away({ BUFFER_MAX_BYTES: '1048576' }),
    )
  })

  it.each([
    ['does not write to its disk', 'appendonly', 'no', 503],
    ['writes to its disk only every second and cannot tell when', 'appendfsync', 'everysec', 503],
    ['flushes nothing while it saves its data', 'no-appendfsync-on-rewrite', 'yes', 503],
    ['throws data away when its memory is full', 'maxmemory-policy', 'allkeys-lru', 503],
  ])('sends the sender away when the server %s', async (_why, setting, value, status) => {
    const [, before = ''] = await redis.command<string[]>('CONFIG', 'GET', setting)
    await redis.command('CONFIG', 'SET', setting, value)
    try {
      await withFunctions(
        [main],
        async () => {
          expect((await send(completedTransaction(), 'msg_1', SHORT)).statusCode).toBe(status)
          expect(await redis.command('GET', '{webhooks}:bytes')).toBe(setting.includes('appendfsync') ? '0' : null)
        },
        away(),
      )
    } finally {
      await redis.command('CONFIG', 'SET', setting, before)
    }
  })

  it('sends the sender away when the server has become a replica, which takes nothing', async () => {
    await redis.command('REPLICAOF', '127.0.0.1', '1')
    try {
      await withFunctions(
        [main],
        async () => {
          const lines = await gatherLogLines(async () => {
            expect(await send(completedTransaction(), 'msg_1', SHORT)).toMatchObject({ statusCode: 503, body: { code: 'database-unavailable' } })
          })
          expect(lines).toContainEqual(expect.objectContaining({ event: 'webhook.buffer.refused', eventId: 'msg_1' }))
        },
        away({ LOG_LEVEL: 'error' }),
      )
    } finally {
      await redis.command('REPLICAOF', 'NO', 'ONE')
    }
  })

  it('believes somebody who vouches for the server', async () => {
    await redis.command('CONFIG', 'SET', 'appendfsync', 'everysec')
    await withFunctions(
      [main],
      async () => {
        expect(await send(completedTransaction(), 'msg_1', SHORT)).toMatchObject({ statusCode: 202 })
      },
      away({ BUFFER_DURABLE: 'declared' }),
    )
    await redis.command('CONFIG', 'SET', 'appendfsync', 'always')
  })

  it('runs a handler that needs no database when the buffer is away too', async () => {
    await withFunctions(
      [main],
      async () => {
        const lines = await gatherLogLines(async () => {
          expect(await send(alert, 'msg_1', SHORT)).toMatchObject({ statusCode: 200, body: { outcome: 'applied' } })
          expect(await send(completedTransaction(), 'msg_2', SHORT)).toMatchObject({ statusCode: 503, body: { code: 'database-unavailable' } })
        })
        expect(lines.map(({ event }) => event)).toContain('webhook.unlogged')
      },
      away({ REDIS_URL: 'redis://127.0.0.1:1', LOG_LEVEL: 'warn' }),
    )
  })
})

describe('other senders', () => {
  const secrets = localWebhookSecrets(webhookSecret)
  const table: Readonly<Record<string, SourceDefinition>> = sourceTable
  const deliver = (source: string, { id = 'evt_1', ...content }: { id?: string; type: string; data: Record<string, unknown> }, context = {}) => {
    const definition = table[source]
    if (definition === undefined) throw new Error(`there is no source ${source}`)
    const { headers, body } = composeDelivery({ definition, secret: secrets[definition.secrets] ?? '', id, ...content })
    return call(main, { method: 'POST', path: `/${source}`, body, headers }, context)
  }
  const money = (amount: string) => ({ transactionId: 'txn_1', userId: 'usr_1', amount, currency: 'EUR' })

  it.each(Object.keys(table))('%s is applied once, and read again when it was deferred', async source => {
    await withFunctions(
      [main, maintenance],
      async database => {
        await failWith(database, "RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'")
        const event = { type: 'transaction.completed', data: money('5') }
        expect(await deliver(source, event, SHORT)).toMatchObject({ statusCode: 202, body: { outcome: 'deferred' } })
        await database.query('DROP TRIGGER fail ON transactions')
        await database.query('UPDATE webhook_events SET next_attempt_at = now()')
        expect(await maintenance({}, { getRemainingTimeInMillis: () => 20_000 })).toMatchObject({ attempts: { applied: 1 } })
        expect(await deliver(source, event)).toMatchObject({ statusCode: 200, body: { outcome: 'duplicate', first: 'applied' } })
        expect(await database.query('SELECT external_id AS id, amount FROM transactions')).toEqual([{ id: 'txn_1', amount: '5.0000' }])
        expect(await database.query('SELECT verdict FROM webhook_events')).toEqual([{ verdict: table[source]?.scheme }])
      },
      secrets,
    )
  })

  it('may change a body honestly, as Stripe does: nothing is said of it', async () => {
    await withFunctions(
      [main],
      async () => {
        const lines = await gatherLogLines(async () => {
          await deliver('stripe', { type: 'transaction.completed', data: money('1') })
          const again = await deliver('stripe', { type: 'transaction.completed', data: money('2') })
          expect(again).toMatchObject({ statusCode: 200, body: { outcome: 'duplicate' } })
        })
        expect(lines.filter(({ event }) => event === 'webhook.event-id-reused')).toEqual([])
      },
      { ...secrets, LOG_LEVEL: 'warn' },
    )
  })

  it('may send a parked event again with another body, as Stripe does: it is taken up', async () => {
    await withFunctions(
      [main],
      async database => {
        await failWith(database, "RAISE EXCEPTION 'no'")
        const send = (amount: string) => deliver('stripe', { type: 'transaction.completed', data: money(amount) })
        expect(await send('1')).toMatchObject({ statusCode: 500, body: { code: 'event-failed' } })
        await database.query('DROP TRIGGER fail ON transactions')
        expect(await send('2')).toMatchObject({ statusCode: 200, body: { outcome: 'applied' } })
        expect(await database.query('SELECT amount FROM transactions')).toEqual([{ amount: '2.0000' }])
      },
      { ...secrets, WEBHOOK_POISON: '500' },
    )
  })

  it('whose ids nobody signs cannot be replayed under another id', async () => {
    await withFunctions(
      [main],
      async database => {
        const event = { type: 'smoke.ping', data: { n: 1, delivery_id: 'of the body' } }
        expect(await deliver('github', { ...event, id: 'evt_1' })).toMatchObject({ body: { outcome: 'applied' } })
        expect(await deliver('github', { ...event, id: 'evt_2' })).toMatchObject({ body: { outcome: 'duplicate', first: 'applied' } })
        expect(await stored(database)).toMatchObject([{ id: 'evt_1' }])
      },
      secrets,
    )
  })
})
