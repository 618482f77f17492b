import * as z from 'zod/mini'
import { ApplicationError } from '../../../../functions-runtime/src/edge/http-errors.ts'
import { defineHandler } from '../../../../webhook-inbox/src/inbox/handler.ts'
import { later } from '../../../../webhook-inbox/src/inbox/later.ts'

// Handlers as users write them: each leaves its event's id in `effects`, and then something goes wrong half of the time.

const INSERT = 'INSERT INTO effects VALUES ($what)'
const schema = z.object({ what: z.string(), url: z.string() })
const happens = () => Math.random() < 0.5

/** Asks another server, which is gone half of the time. */
const fetches = defineHandler({
  type: 'own.fetched',
  schema,
  needsDatabase: true,
  async apply({ data: { what, url } }, { query, signal }) {
    await query(INSERT, { what })
    const answer = await fetch(url, { signal })
    if (!answer.ok) throw new Error(`the other server answered ${answer.status}`)
  },
})

const FAILURES: readonly ((query: (text: string) => Promise<unknown>) => unknown)[] = [
  () => Promise.reject(new Error('half of the time')),
  () => Promise.reject(new ApplicationError('Half of the time.', { code: 'half-of-the-time', status: 503, retryable: true })),
  () => Promise.reject(Object.assign(new Error('of another client'), { code: '57P01', severity: 'FATAL' })),
  query => query('SELECT 1 / 0'),
  query => query("DO $$ BEGIN RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END $$"),
  query => query('ROLLBACK'),
]

/** Fails half of the time, each time in another way. */
const fails = defineHandler({
  type: 'own.failed',
  schema,
  needsDatabase: true,
  async apply({ data: { what } }, { query }) {
    await query(INSERT, { what })
    if (happens()) await FAILURES[Math.floor(Math.random() * FAILURES.length)]?.(query)
  },
})

/** Says later half of the time. */
const saysLater = defineHandler({
  type: 'own.later',
  schema,
  needsDatabase: true,
  async apply({ data: { what } }, { query }) {
    await query(INSERT, { what })
    if (happens()) throw later('customer-unknown', { afterMs: Math.random() * 2_000 })
  },
})

export const ownHandlers = [fetches, fails, saysLater]
