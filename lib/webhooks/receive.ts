import * as z from 'zod/mini'
import { v7 as uuidv7 } from 'uuid'
import { checkContent, checkSize } from '../content.ts'
import type { DatabaseService, Work } from '../database/service.ts'
import { ApplicationError, DeadlineExceededError, NotFoundError } from '../errors.ts'
import type { Logger } from '../telemetry/logger.ts'
import { claimEvent, markProcessed } from './claim.ts'
import type { WebhookEvent } from './handler.ts'
import { readEvent } from './read-event.ts'
import type { Source } from './source.ts'
import { verifyDelivery } from './verify-delivery.ts'

export interface ReceiveOptions {
  readonly sources: ReadonlyMap<string, Source>
  readonly database: DatabaseService
  readonly logger: Logger
}

export type Received = { readonly outcome: 'applied' | 'ignored' | 'duplicate' }

const RETRY_AFTER_MS = 5_000

/**
 * Takes one delivery: verifies it on its raw bytes, then claims the event, applies it and marks it processed in one
 * transaction. A delivery of an event that another is applying just now waits for that one's end.
 * @throws NotFoundError, SignatureError, ContentError and the like for what the sender did wrong;
 * DatabaseUnavailableError, `event-in-progress` or DeadlineExceededError when nothing was applied and the sender
 * should come back.
 */
export async function receiveWebhook(
  request: { source: string; headers: Readonly<Record<string, string>>; body: Buffer },
  { sources, database, logger }: ReceiveOptions,
): Promise<Received> {
  const source = sources.get(request.source)
  if (!source) throw new NotFoundError('No such webhook source.', 'source-unknown')
  checkSize(request.body)
  verifyDelivery(source, request, logger)
  const { id, type, data } = readEvent(source, request)

  const handler = source.handlers.get(type)
  const event: WebhookEvent = { source: source.name, id, type, data: handler ? checkData(handler.schema, data) : undefined }
  const receivedAt = new Date()
  let claiming = false
  const work = async (work: Work): Promise<Received> => {
    claiming = true
    const claim = await claimEvent({ id: uuidv7(), event, receivedAt }, work)
    claiming = false
    if (claim.outcome === 'duplicate') return { outcome: 'duplicate' }
    const effect = handler ? await handler.apply(event, work) : undefined
    const outcome = handler ? 'applied' : 'ignored'
    await markProcessed({ id: claim.id, outcome, userId: effect?.userId ?? null }, work)
    return { outcome }
  }
  return database.execute('webhook.receive', work).catch((error: unknown) => {
    throw claiming && error instanceof DeadlineExceededError ? eventInProgress(error) : error
  })
}

// 503 and not 504: senders slow down for it, and the event will be settled when they come back.
function eventInProgress(cause: Error): ApplicationError {
  return new ApplicationError('Another delivery of this event is still being worked on.', {
    code: 'event-in-progress',
    status: 503,
    retryable: true,
    retryAfterMs: RETRY_AFTER_MS,
    cause,
  })
}

// Paths are told as the sender sees them, from the top of the body.
function checkData<Schema extends z.ZodMiniType>(schema: Schema, data: unknown): z.output<Schema> {
  return (checkContent(z.object({ data: schema }), { data }) as { data: z.output<Schema> }).data
}
