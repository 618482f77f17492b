import { sql, type Statement } from '../../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import * as z from 'zod/mini'
import type { BufferSettings } from '../settings/buffer.ts'
import type { PayloadKeys } from '../settings/payload.ts'
import { checkContent } from '../../../functions-runtime/src/content/content.ts'
import { codeOf } from '../../../resilient-sequelize/src/errors/code-of.ts'
import type { DatabaseService, Work } from '../../../functions-runtime/src/database/service.ts'
import { ConflictError, NotFoundError } from '../../../functions-runtime/src/edge/http-errors.ts'
import type { Deadline } from '../../../invocation/src/deadline.ts'
import { UNDER_LOCK } from './user-lock.ts'
import { parkedInBuffer, returnParked } from '../buffer/manage.ts'
import { bufferStand, type BufferStand } from '../buffer/stand.ts'
import type { ParkedEntry } from '../buffer/parked.ts'
import { endIfErased } from './claim.ts'
import { eventName, open } from './payload.ts'
import type { DescribedSource } from '../verify/source.ts'

/** What a person may ask of the inbox; `buffer` with `retry` is about the entries that are parked in the outage buffer. */
const commandSchema = z.discriminatedUnion('action', [
  z.object({
    action: z.literal('list'),
    state: z._default(z.enum(['parked', 'pending']), 'parked'),
    limit: z._default(z.number().check(z.int(), z.minimum(1), z.maximum(500)), 50),
  }),
  z.object({ action: z.literal('show'), id: z.uuid(), body: z._default(z.boolean(), false) }),
  z.object({ action: z.literal('retry'), id: z.union([z.uuid(), z.literal('all'), z.literal('buffer')]) }),
  z.object({ action: z.literal('park'), id: z.uuid() }),
])
export type Command = z.input<typeof commandSchema>

export interface ManageOptions {
  readonly database: Pick<DatabaseService, 'execute'>
  readonly keys: PayloadKeys
  readonly buffer: BufferSettings | undefined
  readonly deadline: Deadline
  readonly sources: ReadonlyMap<string, DescribedSource>
}

const FIELDS = `id, source, external_id AS "externalId", type, user_id AS "userId", received_at AS "receivedAt", processed_at AS "processedAt",
  attempts, CASE WHEN outcome = 'failed' THEN 'parked' ELSE coalesce(outcome, 'pending') END AS state, next_attempt_at AS "nextAttemptAt", last_error AS "lastError",
  invalid_paths AS "invalidPaths", verdict`
const IS = { parked: "outcome = 'failed'", pending: 'outcome IS NULL' } as const
// As a first one: the attempts of the fault that was mended count no more.
const RETRY = sql`UPDATE ${tables.webhook_events} SET outcome = NULL, next_attempt_at = now(), attempts = 0`
const ROW = sql`SELECT processed_at IS NOT NULL AS processed, concerns FROM ${tables.webhook_events} WHERE id = $id FOR UPDATE`
const PARK = sql`UPDATE ${tables.webhook_events} SET outcome = 'failed', next_attempt_at = NULL, last_error = coalesce(last_error, 'parked-by-hand')`

/**
 * Does what a person asks of the inbox: lists what is parked or pending, shows an event, has one or all that are parked
 * tried again by the next run of maintenance, or parks one.
 * @throws ContentError for a command that does not exist; NotFoundError, ConflictError.
 */
export async function manageWebhooks(input: unknown, options: ManageOptions): Promise<Record<string, unknown>> {
  const command = checkContent(commandSchema, input)
  const { database } = options
  switch (command.action) {
    case 'list': {
      const text = sql`SELECT ${FIELDS} FROM ${tables.webhook_events} WHERE ${IS[command.state]} ORDER BY received_at LIMIT $limit`
      const events = await database.execute('webhooks.list', ({ query }) => query(text, { limit: command.limit }), { mode: 'read' })
      return { events, buffer: options.buffer === undefined ? null : await standOf(options.buffer, command, options) }
    }
    case 'show':
      return show(command, options)
    case 'retry': {
      if (command.id === 'buffer') return { retried: options.buffer === undefined ? 0 : await returnParked(options.buffer, options.deadline) }
      if (command.id !== 'all') return { retried: await change('webhooks.retry', RETRY, command.id, options) }
      const retried = await database.execute('webhooks.retry', ({ query }) => query(sql`${RETRY} WHERE ${IS.parked} RETURNING id`))
      return { retried: retried.length }
    }
    case 'park':
      return { parked: await change('webhooks.park', PARK, command.id, options) }
    default:
      return command satisfies never
  }
}

// What lies in the inbox is shown all the same.
async function standOf(
  buffer: BufferSettings,
  { state, limit }: { state: keyof typeof IS; limit: number },
  { deadline, keys, sources }: ManageOptions,
): Promise<(BufferStand & { entries?: ParkedEntry[] }) | { error: string }> {
  try {
    const stand = await bufferStand(buffer, deadline)
    if (state !== 'parked' || stand.parked === 0) return stand
    return { ...stand, entries: await parkedInBuffer(buffer, { deadline, keys, sources, limit }) }
  } catch (error) {
    return { error: codeOf(error) }
  }
}

type Stored = Record<string, unknown> & { source: string; externalId: string; body: Buffer | null }

async function show({ id, body: withBody }: { id: string; body: boolean }, { database, keys }: ManageOptions): Promise<Record<string, unknown>> {
  const text = sql`SELECT ${FIELDS}, headers, body FROM ${tables.webhook_events} WHERE id = $id`
  const [found] = await database.execute('webhooks.show', ({ query }) => query<Stored>(text, { id }), { mode: 'read' })
  if (found === undefined) throw unknown()
  const { body, ...event } = found
  const name = eventName({ source: found.source, id: found.externalId })
  return { event: { ...event, ...(withBody && body !== null ? { body: open(body, name, keys).toString() } : {}) } }
}

/** Changes one event that has not been processed. */
async function change(name: string, statement: Statement, id: string, { database }: ManageOptions): Promise<number> {
  const work = async ({ query }: Pick<Work, 'query'>) => {
    const [row] = await query<{ processed: boolean; concerns: string | null }>(ROW, { id })
    if (row === undefined) throw unknown()
    if (row.processed) throw new ConflictError('event-processed', 'This event has been processed: there is nothing to do.')
    const changed = await query(sql`${statement} WHERE id = $id RETURNING id`, { id })
    // Nobody is to look at what an event said of an erased user.
    if (statement === PARK) await endIfErased({ id, concerns: row.concerns }, { query })
    return changed.length
  }
  return database.execute(name, work, UNDER_LOCK)
}

function unknown(): NotFoundError {
  return new NotFoundError('There is no event with this id.', 'event-unknown')
}
