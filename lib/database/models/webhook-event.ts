import {
  DataTypes,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Model,
  type ModelStatic,
  type Sequelize,
} from 'sequelize'

export const eventOutcomes = ['applied', 'ignored'] as const
export type EventOutcome = (typeof eventOutcomes)[number]

/** An event that was claimed: source and external id are unique, which decides who of several deliveries applies it. */
export interface WebhookEventRow extends Model<InferAttributes<WebhookEventRow>, InferCreationAttributes<WebhookEventRow>> {
  id: string
  source: string
  externalId: string
  type: string
  userId: string | null
  receivedAt: Date
  processedAt: Date | null
  attempts: CreationOptional<number>
  outcome: EventOutcome | null
}

export function defineWebhookEvent(sequelize: Sequelize): ModelStatic<WebhookEventRow> {
  return sequelize.define<WebhookEventRow>(
    'WebhookEvent',
    {
      id: { type: DataTypes.UUID, primaryKey: true },
      source: { type: DataTypes.TEXT, allowNull: false },
      externalId: { type: DataTypes.TEXT, allowNull: false },
      type: { type: DataTypes.TEXT, allowNull: false },
      userId: { type: DataTypes.UUID, allowNull: true },
      receivedAt: { type: DataTypes.DATE, allowNull: false },
      processedAt: { type: DataTypes.DATE, allowNull: true },
      attempts: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0 },
      outcome: { type: DataTypes.TEXT, allowNull: true },
    },
    { tableName: 'webhook_events', underscored: true, timestamps: false },
  )
}
