import { sql } from '../../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import type { PayloadKeys } from '../settings/payload.ts'
import type { DatabaseService } from '../../../functions-runtime/src/database/service.ts'
import type { Deadline } from '../../../invocation/src/deadline.ts'
import type { Logger } from '../../../functions-runtime/src/telemetry/logger.ts'
import { codeOf } from '../../../resilient-sequelize/src/errors/code-of.ts'
import { readDelivery, type ReadDelivery } from '../inbox/delivery.ts'
import { sourceOf, type DescribedSource } from '../verify/source.ts'
import { atOf, entriesOf, type StreamEntry } from './stream-entry.ts'
import type { RedisConnection, Reply } from './connection.ts'
import { readEntry } from './entry.ts'
import { BYTES, DROP_PARKED, PARKED } from './names.ts'

/** A parked entry as a person sees it. What could not be read of it is missing. */
export interface ParkedEntry {
  readonly entry: string
  /** Code of what keeps it out of the inbox. */
  readonly code: string
  readonly bufferedAt: string
  readonly source?: string
  readonly eventId?: string
  readonly type?: string
}

export interface ReadParkedOptions {
  readonly keys: PayloadKeys
  readonly sources: ReadonlyMap<string, DescribedSource>
}

const PAGE = 20
// Less than this is not enough to ask the database.
const LEAST_MS = 500
// Entries that the database is asked about at once. Their bodies are not kept.
const BATCH = 500
const ERASED = sql`SELECT name FROM ${tables.webhook_erased} WHERE name = ANY ($names::text[])`

/** Reads the first parked entries, at most `limit`. */
export async function listParked(redis: RedisConnection, limit: number, options: ReadParkedOptions): Promise<ParkedEntry[]> {
  const listed: ParkedEntry[] = []
  for await (const entry of parkedEntries(redis)) {
    if (listed.length === limit) break
    const event = readAgain(entry, options)?.event
    const named = event === undefined ? {} : { source: event.source, eventId: event.id, type: event.type }
    listed.push({ entry: entry.id, code: entry.reason, bufferedAt: atOf(entry).toISOString(), ...named })
  }
  return listed
}

export interface ErasureOptions extends ReadParkedOptions {
  readonly database: Pick<DatabaseService, 'execute'>
  readonly deadline: Deadline
  readonly logger: Pick<Logger, 'info' | 'error'>
  /** How long an entry is kept that is about no known user, in ms. */
  readonly unattributedMs: number
}

/** A parked entry without its content. */
interface Found {
  readonly entry: Omit<StreamEntry, 'entry'>
  readonly concerns: string | null
  readonly source: string | undefined
  readonly eventId: string | undefined
}

/** Drops parked entries that are about an erased user, and those about no known user that are too old. Logs what it could not find out. */
export async function dropErasedParked(redis: RedisConnection, options: ErasureOptions): Promise<void> {
  const { deadline, unattributedMs } = options
  const oldest = (await redisTime(redis)) - unattributedMs
  let found: Found[] = []
  for await (const { entry: content, ...entry } of parkedEntries(redis)) {
    if (deadline.remainingMs() < LEAST_MS) return
    const delivery = readAgain({ entry: content }, options)
    found.push({ entry, concerns: delivery?.concerns ?? null, source: delivery?.source, eventId: delivery?.event.id })
    if (found.length < BATCH) continue
    await dropOf(found, oldest, redis, options)
    found = []
  }
  await dropOf(found, oldest, redis, options)
}

async function dropOf(found: readonly Found[], oldest: number, redis: RedisConnection, options: ErasureOptions): Promise<void> {
  const { logger } = options
  const names = new Set(found.flatMap(({ concerns }) => concerns ?? []))
  const erased = await erasedAmong([...names], options)
  for (const { entry, concerns, ...event } of found) {
    const expired = concerns === null && atOf(entry).getTime() < oldest
    if (!expired && !(concerns !== null && erased.has(concerns))) continue
    await redis.send('EVAL', DROP_PARKED, '2', PARKED, BYTES, entry.id, entry.size)
    const line = { entry: entry.id, code: entry.reason, ...event }
    if (expired) logger.error({ event: 'webhook.buffer.expired', ...line })
    else logger.info({ event: 'webhook.buffer.erased', ...line })
  }
}

/** Which of these names belong to erased users. */
async function erasedAmong(names: readonly string[], { database, deadline, logger }: ErasureOptions): Promise<ReadonlySet<string>> {
  if (names.length === 0 || deadline.remainingMs() < LEAST_MS) return new Set()
  try {
    const rows = await database.execute('buffer.erased', ({ query }) => query<{ name: string }>(ERASED, { names }), { mode: 'read', deadline })
    return new Set(rows.map(({ name }) => name))
  } catch (error) {
    logger.error({ event: 'webhook.buffer.erasure-failed', code: codeOf(error), error })
    return new Set()
  }
}

function readAgain({ entry }: Pick<StreamEntry, 'entry'>, { keys, sources }: ReadParkedOptions): ReadDelivery | undefined {
  try {
    const buffered = readEntry(entry, keys)
    return readDelivery(buffered, sourceOf(buffered.source, sources))
  } catch {
    return undefined
  }
}

async function* parkedEntries(redis: RedisConnection): AsyncGenerator<StreamEntry> {
  let from = '-'
  for (;;) {
    const entries = entriesOf(await redis.send('XRANGE', PARKED, from, '+', 'COUNT', String(PAGE)))
    yield* entries
    const last = entries.at(-1)
    if (last === undefined) return
    from = `(${last.id}`
  }
}

/** The clock of the buffer's server, epoch ms: one for all containers. */
async function redisTime(redis: RedisConnection): Promise<number> {
  const [seconds] = (await redis.send('TIME')) as Reply[]
  return Number(String(seconds)) * 1000
}
