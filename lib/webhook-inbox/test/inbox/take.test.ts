import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { DatabaseService, Work } from '../../../functions-runtime/src/database/service.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { createLogger } from '../../../functions-runtime/src/telemetry/logger.ts'
import { storeUnapplied } from '../../src/inbox/claim.ts'
import { readDelivery } from '../../src/inbox/delivery.ts'
import { describedSources } from '../../../functions-devkit/test/application/lib/app/webhooks/sources.ts'
import { sourceOf } from '../../src/verify/source.ts'
import { takeDelivery } from '../../src/inbox/take.ts'
import { withService } from '../../../functions-devkit/test/support/service.ts'
import { completedTransaction, eventBody } from '../../../functions-devkit/test/support/webhooks.ts'

const keys = { current: undefined, byId: new Map() }

function read(text: string, id: string) {
  const headers = { 'content-type': 'application/json', 'webhook-id': id }
  const delivery = { source: 'demo', body: Buffer.from(text), headers, verdict: 'standard', receivedAt: new Date() }
  return readDelivery(delivery, sourceOf('demo', describedSources))
}

async function take(text: string, id: string, database: Pick<DatabaseService, 'execute' | 'hasReported'>, lines: Record<string, unknown>[] = []) {
  const deadline = openDeadline({ remainingMs: 5_000, reserveMs: 0 })
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) }
  const logger = createLogger({ name: 'test', level: 'info', destination })
  return takeDelivery(read(text, id), { database, keys, deadline, logger }).finally(() => deadline.clear())
}

describe('an event that is stored for a person', () => {
  it('waits for whoever erases the one it is about, and is stored without what it said', async () => {
    await withService(async ({ service, database }) => {
      const delivery = read(completedTransaction({ userId: 'usr_1' }), 'msg_1')
      await database.query(
        "INSERT INTO users (id, email, name, external_id, created_at, updated_at) VALUES (gen_random_uuid(), 'a@b', 'a', 'usr_1', now(), now())",
      )
      await database.query('BEGIN')
      await database.query("SELECT pg_advisory_xact_lock(7126, hashtext('usr_1'))")
      const unapplied = { outcome: 'failed', lastError: 'no', retryInMs: null } as const
      const storing = service.execute('store', work => storeUnapplied({ id: randomUUID(), delivery, keys }, unapplied, work))
      await expect.poll(() => database.query('SELECT 1 FROM pg_locks WHERE NOT granted'), { interval: 5 }).toHaveLength(1)
      await database.query('UPDATE users SET email = NULL, name = NULL, erased_at = now()')
      await database.query('COMMIT')
      await storing
      expect(await database.query('SELECT outcome, body, headers, concerns FROM webhook_events')).toEqual([
        { outcome: 'ignored', body: null, headers: null, concerns: null },
      ])
    })
  })
})

describe('a delivery', () => {
  it('proves by its own row that its COMMIT came through, and by nobody else’s', async () => {
    await withService(async ({ service, database }) => {
      let proof: ((work: Work) => Promise<boolean>) | undefined
      const observed: Pick<DatabaseService, 'execute' | 'hasReported'> = {
        hasReported: error => service.hasReported(error),
        execute: (name, work, options) => {
          proof = options?.wasCommitted
          return service.execute(name, work, options)
        },
      }
      const proven = () => service.execute('look', work => proof?.(work) ?? Promise.reject(new Error('there is no proof')), { mode: 'read' })
      const body = completedTransaction()
      expect(await take(body, 'msg_1', observed)).toMatchObject({ outcome: 'applied' })
      expect(await proven()).toBe(true)
      expect(await take(body, 'msg_1', observed)).toMatchObject({ outcome: 'duplicate' })
      expect(await proven()).toBe(false)
      await database.query('ALTER TABLE transactions RENAME TO elsewhere')
      expect(await take(body, 'msg_2', observed)).toMatchObject({ outcome: 'failed' })
      expect(await proven()).toBe(true)
      expect(await take(body, 'msg_2', observed)).toMatchObject({ outcome: 'duplicate' })
      expect(await proven()).toBe(false)
    })
  })

  it('runs a handler that needs no database once, however often its record has to be tried', async () => {
    await withService(async ({ service, database }) => {
      await database.query('CREATE SEQUENCE tries')
      await database.query(
        `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF nextval('tries') < 3 THEN RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END IF; RETURN NULL; END $$`,
      )
      await database.query('CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON webhook_events INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail()')
      const lines: Record<string, unknown>[] = []
      expect(await take(eventBody('alert.raised', { code: 'disk', severity: 'critical' }), 'msg_1', service, lines)).toEqual({ outcome: 'applied' })
      expect(lines.filter(({ event }) => event === 'alert.raised')).toHaveLength(1)
      expect(await database.query('SELECT outcome FROM webhook_events')).toEqual([{ outcome: 'applied' }])
    })
  })
})
