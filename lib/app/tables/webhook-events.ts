import type { CreationOptional, InferAttributes, InferCreationAttributes, Model } from 'sequelize'
import { defineTable } from '../../functions-runtime/src/database/define-table.ts'
import type { EventOutcome } from '../../webhook-inbox/src/inbox/outcome.ts'

/** An event that was claimed: source and external id are unique, which decides who of several deliveries applies it. */
export interface WebhookEventRow extends Model<InferAttributes<WebhookEventRow>, InferCreationAttributes<WebhookEventRow>> {
  id: string
  source: string
  externalId: string
  type: string
  userId: string | null
  /** The user it is about, as its sender says; null once that user is erased. */
  concerns: CreationOptional<string | null>
  receivedAt: Date
  processedAt: Date | null
  attempts: CreationOptional<number>
  outcome: EventOutcome | null
  /** The bytes as they came, sealed (see `lib/webhook-inbox/src/inbox/payload.ts`); null once they have been pruned. */
  body: CreationOptional<Buffer | null>
  /** Headers that help a person, never a signature. */
  headers: CreationOptional<Record<string, string> | null>
  /** Which check the request has passed. */
  verdict: CreationOptional<string | null>
  /** SHA-256 of the bytes: tells another body under the same id. */
  bodyHash: CreationOptional<Buffer | null>
  /** The same hash where the source's ids are not signed: unique, so that a body counts once under whatever id. */
  replayGuard: CreationOptional<Buffer | null>
  /** When it is due; while somebody works on it, when that lease ends. */
  nextAttemptAt: CreationOptional<Date | null>
  /** Code of what went wrong last. */
  lastError: CreationOptional<string | null>
  /** Paths of what does not fit, while the event is parked for that. */
  invalidPaths: CreationOptional<string[] | null>
}

export const webhookEvents = defineTable<WebhookEventRow>()({
  name: 'webhook_events',
  model: 'WebhookEvent',
  columns: ({ UUID, TEXT, DATE, INTEGER, BLOB, JSONB }) => ({
    id: { type: UUID, primaryKey: true },
    source: { type: TEXT, allowNull: false },
    externalId: { type: TEXT, allowNull: false },
    type: { type: TEXT, allowNull: false },
    userId: { type: UUID, allowNull: true },
    concerns: { type: TEXT, allowNull: true },
    receivedAt: { type: DATE, allowNull: false },
    processedAt: { type: DATE, allowNull: true },
    attempts: { type: INTEGER, allowNull: false, defaultValue: 0 },
    outcome: { type: TEXT, allowNull: true },
    body: { type: BLOB, allowNull: true },
    headers: { type: JSONB, allowNull: true },
    verdict: { type: TEXT, allowNull: true },
    bodyHash: { type: BLOB, allowNull: true },
    replayGuard: { type: BLOB, allowNull: true },
    nextAttemptAt: { type: DATE, allowNull: true },
    lastError: { type: TEXT, allowNull: true },
    invalidPaths: { type: JSONB, allowNull: true },
  }),
  options: { timestamps: false },
  // The inbox creates it and names what is pruned.
  keep: 'by-its-package',
})
