import type { Work } from '../database/service.ts'
import type { EventOutcome } from '../database/models/webhook-event.ts'
import type { WebhookEvent } from './handler.ts'

export type Claim = { readonly outcome: 'claimed'; readonly id: string } | { readonly outcome: 'duplicate' }

/**
 * Claims an event for this transaction. The unique constraint decides: whoever inserts first has it, and a second
 * insert waits until the first transaction has ended one way or the other.
 */
export async function claimEvent({ id, event, receivedAt }: { id: string; event: WebhookEvent; receivedAt: Date }, { query }: Work): Promise<Claim> {
  const rows = await query<{ id: string }>(
    `INSERT INTO webhook_events (id, source, external_id, type, received_at, attempts)
     VALUES ($id, $source, $externalId, $type, $receivedAt, 1)
     ON CONFLICT (source, external_id) DO NOTHING
     RETURNING id`,
    { id, source: event.source, externalId: event.id, type: event.type, receivedAt: receivedAt.toISOString() },
  )
  return rows.length === 1 ? { outcome: 'claimed', id } : { outcome: 'duplicate' }
}

/** Marks a claimed event as processed, in the transaction that claimed it. */
export async function markProcessed(
  { id, outcome, userId }: { id: string; outcome: EventOutcome; userId: string | null },
  { models, transaction }: Work,
): Promise<void> {
  await models.WebhookEvent.update({ outcome, userId, processedAt: new Date() }, { where: { id }, transaction })
}
