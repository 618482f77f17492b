import { randomUUID } from 'node:crypto'
import type { BufferSettings } from '../settings/buffer.ts'
import type { PayloadKeys } from '../settings/payload.ts'
import { classifyError } from '../../../resilient-sequelize/src/errors/classify-error.ts'
import { codeOf } from '../../../resilient-sequelize/src/errors/code-of.ts'
import type { DatabaseService } from '../../../functions-runtime/src/database/service.ts'
import { openDeadline, type Deadline } from '../../../invocation/src/deadline.ts'
import type { Counters } from '../../../functions-runtime/src/telemetry/counters.ts'
import type { Logger } from '../../../functions-runtime/src/telemetry/logger.ts'
import { readDelivery, type ReadDelivery } from '../inbox/delivery.ts'
import { failureNote } from '../inbox/failure-note.ts'
import { sourceOf, type DescribedSource } from '../verify/source.ts'
import { takeDelivery } from '../inbox/take.ts'
import type { BufferedState } from './buffer.ts'
import { withRedis, type RedisConnection, type Reply } from './connection.ts'
import { readEntry } from './entry.ts'
import { BYTES, CONSUMER, GROUP, LOCK, NOTHING, PARK, PARKED, STREAM, TAKE_LOCK, TAKE_OUT, UNLOCK } from './names.ts'
import { dropErasedParked } from './parked.ts'
import { atOf, entriesOf, type StreamEntry } from './stream-entry.ts'

/** What a drain came to. */
export interface DrainReport {
  /** Events that are in the inbox now. */
  readonly drained: number
  /** Entries without a readable event id, source or key, and events that the database refuses. What is parked in the inbox counts as drained. */
  readonly parked: number
  readonly left: number
}

export interface DrainOptions {
  readonly settings: BufferSettings
  readonly keys: PayloadKeys
  readonly database: Pick<DatabaseService, 'execute' | 'hasReported'>
  readonly deadline: Deadline
  readonly logger: Logger
  readonly counters?: Pick<Counters, 'add'>
  readonly sources: ReadonlyMap<string, DescribedSource>
  /** Entries that are read at once. */
  readonly batch?: number
  /** Longest time for one entry, in ms. */
  readonly takeMs?: number
  /** How long a parked entry is kept that is about no known user, in ms. */
  readonly unattributedMs?: number
}

/** What a drain has met so far. */
interface Progress {
  drained: number
  parked: number
  /** Code of what kept an event in the buffer. */
  obstacle?: string
  /** Events that the database refuses, perhaps because nothing can be stored: parked once another event could be. */
  readonly refused: Refused[]
}

interface Refused {
  readonly entry: StreamEntry
  readonly error: unknown
}

const BATCH = 20
const LONGEST_TAKE_MS = 10_000
const LEAST_TAKE_MS = 2_000
// After this many transient errors in a row the database is at fault, not the entries.
const MOST_IN_A_ROW = 5
const SQLSTATE = /^[0-9A-Z]{5}$/
const UNATTRIBUTED_MS = 7 * 24 * 60 * 60_000

/**
 * Takes what is buffered into the inbox, the oldest first, through the same claim as a request: cut off at any point it
 * changes nothing twice. One at a time drains, so that events stay in their order; what another read and did not finish
 * comes first.
 * @throws BufferError
 */
export async function drainBuffer(options: DrainOptions): Promise<DrainReport> {
  const { settings, deadline, logger } = options
  return withRedis(settings, deadline, async redis => {
    const left = async () => Number(await redis.send('XLEN', STREAM))
    const [waiting, parked] = await Promise.all([left(), redis.send('XLEN', PARKED)])
    const report = { drained: 0, parked: 0, left: waiting }
    if (waiting + Number(parked) === 0) return report
    const owner = randomUUID()
    const lockMs = String(Math.ceil(deadline.remainingMs()) + 1_000)
    const locked = await redis.send('EVAL', TAKE_LOCK, '3', LOCK, STREAM, NOTHING, owner, lockMs, GROUP)
    if (locked === null) return report
    const progress: Progress = { drained: 0, parked: 0, refused: [] }
    try {
      if (waiting > 0) await drain(redis, progress, options)
      if (progress.drained > 0) for (const refused of progress.refused) await park(redis, refused, progress, options)
      const { sources, unattributedMs = UNATTRIBUTED_MS } = options
      if (Number(parked) > 0) await dropErasedParked(redis, { ...options, sources, unattributedMs })
    } finally {
      await redis.send('EVAL', UNLOCK, '1', LOCK, owner)
    }
    const { drained, parked: parkedNow, obstacle = 'deadline-exceeded' } = progress
    const done = { drained, parked: parkedNow, left: await left() }
    if (waiting > 0 && done.left > 0 && drained + parkedNow === 0) logger.error({ event: 'webhook.buffer.stuck', left: done.left, code: obstacle })
    return done
  })
}

async function drain(redis: RedisConnection, progress: Progress, options: DrainOptions): Promise<void> {
  const { deadline, batch = BATCH } = options
  // Sources of which an entry had to be left: what came after it waits as well.
  const held = new Set<string>()
  // Consecutive entries that the server answered with a transient error.
  let inARow = 0
  let from: string | undefined = '0-0'
  while (deadline.remainingMs() > LEAST_TAKE_MS) {
    const read: { entries: StreamEntry[]; next: string | undefined } =
      from === undefined ? { entries: await readNew(redis, batch), next: undefined } : await readLeftOver(redis, from, batch)
    if (read.entries.length === 0 && from === undefined) return
    from = read.next
    for (const entry of read.entries) {
      if (deadline.remainingMs() <= LEAST_TAKE_MS) return
      // Less time for each entry after a transient error.
      const settled = await settle(redis, entry, held, progress, inARow === 0 ? options : { ...options, takeMs: LEAST_TAKE_MS })
      if (settled === 'away') return
      if (settled === 'away-answering') {
        inARow += 1
        options.logger.warn({ event: 'webhook.buffer.held', entry: entry.id, code: progress.obstacle })
        if (inARow === MOST_IN_A_ROW) return
      } else if (settled !== 'held') inARow = 0
    }
  }
}

/** Settles one entry. `away-answering`: the database did not take it, and its session went on. */
async function settle(
  redis: RedisConnection,
  entry: StreamEntry,
  held: Set<string>,
  progress: Progress,
  options: DrainOptions,
): Promise<'settled' | 'held' | 'away' | 'away-answering'> {
  const { keys, database, deadline, logger, counters, sources, takeMs = LONGEST_TAKE_MS } = options
  let delivery: ReadDelivery & BufferedState
  try {
    const buffered = readEntry(entry.entry, keys)
    const received = { ...buffered, bufferedAt: atOf(entry) }
    delivery = { ...readDelivery(received, sourceOf(buffered.source, sources)), applied: buffered.applied, putOff: buffered.putOff }
  } catch (error) {
    await park(redis, { entry, error }, progress, options)
    return 'settled'
  }
  if (held.has(delivery.source)) return 'held'
  // An entry that is tried until its time is over leaves time for the next one.
  const own = openDeadline({ remainingMs: Math.min(takeMs, deadline.remainingMs() / 2), reserveMs: 0 })
  const { applied: recordOnly, putOff } = delivery
  const taken = await takeDelivery(delivery, { database, keys, logger, deadline: own, recordOnly, putOff }).finally(() => own.clear())
  if ('error' in taken) progress.obstacle = codeOf(taken.error)
  if (taken.outcome === 'away') {
    const answer = answerOf(taken.error)
    if (answer === undefined) return 'away'
    progress.obstacle = answer
    return 'away-answering'
  }
  if (taken.outcome === 'in-progress') {
    held.add(delivery.source)
    return 'held'
  }
  if (taken.outcome === 'refused') {
    const refused = { entry, error: taken.error }
    if (taken.refusal === 'event') await park(redis, refused, progress, options)
    else progress.refused.push(refused)
    return taken.refusal === 'event' ? 'settled' : 'held'
  }
  await redis.send('EVAL', TAKE_OUT, '2', STREAM, BYTES, GROUP, entry.id, entry.size)
  progress.drained += 1
  counters?.add('events', delivery.source, taken.outcome === 'failed' ? 'parked' : taken.outcome)
  return 'settled'
}

/** The SQLSTATE that a server sent before it went on with the session; `undefined` for any other error. */
function answerOf(error: unknown): string | undefined {
  const { code, connection } = classifyError(error)
  return connection === 'keep' && code !== undefined && SQLSTATE.test(code) ? code : undefined
}

async function readLeftOver(redis: RedisConnection, from: string, batch: number): Promise<{ entries: StreamEntry[]; next: string | undefined }> {
  const [next, entries] = (await redis.send('XAUTOCLAIM', STREAM, GROUP, CONSUMER, '0', from, 'COUNT', String(batch))) as [Buffer, Reply]
  const cursor = next.toString()
  return { entries: entriesOf(entries), next: cursor === '0-0' ? undefined : cursor }
}

async function readNew(redis: RedisConnection, batch: number): Promise<StreamEntry[]> {
  const streams = (await redis.send('XREADGROUP', 'GROUP', GROUP, CONSUMER, 'COUNT', String(batch), 'STREAMS', STREAM, '>')) as Reply[] | null
  const [, entries] = (streams?.[0] ?? []) as Reply[]
  return entriesOf(entries ?? [])
}

/** Moves an entry to the dead letters, with the code of what keeps it out of the inbox. */
async function park(redis: RedisConnection, { entry, error }: Refused, progress: Progress, { logger }: DrainOptions): Promise<void> {
  const { code } = failureNote(error)
  logger.error({ event: 'webhook.buffer.parked', entry: entry.id, code, error })
  await redis.send('EVAL', PARK, '2', STREAM, PARKED, GROUP, entry.id, entry.entry, entry.size, code, entry.first)
  progress.parked += 1
}
