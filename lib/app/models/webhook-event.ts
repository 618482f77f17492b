import type { EventOutcome } from '../../webhook-inbox/src/inbox/outcome.ts'
import {
  DataTypes,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Model,
  type ModelStatic,
  type Sequelize,
} from 'sequelize'

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

export function defineWebhookEvent(sequelize: Sequelize, schema: string): ModelStatic<WebhookEventRow> {
  return sequelize.define<WebhookEventRow>(
    'WebhookEvent',
    {
      id: { type: DataTypes.UUID, primaryKey: true },
      source: { type: DataTypes.TEXT, allowNull: false },
      externalId: { type: DataTypes.TEXT, allowNull: false },
      type: { type: DataTypes.TEXT, allowNull: false },
      userId: { type: DataTypes.UUID, allowNull: true },
      concerns: { type: DataTypes.TEXT, allowNull: true },
      receivedAt: { type: DataTypes.DATE, allowNull: false },
      processedAt: { type: DataTypes.DATE, allowNull: true },
      attempts: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0 },
      outcome: { type: DataTypes.TEXT, allowNull: true },
      body: { type: DataTypes.BLOB, allowNull: true },
      headers: { type: DataTypes.JSONB, allowNull: true },
      verdict: { type: DataTypes.TEXT, allowNull: true },
      bodyHash: { type: DataTypes.BLOB, allowNull: true },
      replayGuard: { type: DataTypes.BLOB, allowNull: true },
      nextAttemptAt: { type: DataTypes.DATE, allowNull: true },
      lastError: { type: DataTypes.TEXT, allowNull: true },
      invalidPaths: { type: DataTypes.JSONB, allowNull: true },
    },
    { schema, tableName: 'webhook_events', underscored: true, timestamps: false },
  )
}
