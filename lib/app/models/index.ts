import type { Sequelize } from 'sequelize'
import { defineActivity } from './activity.ts'
import { defineBalance } from './balance.ts'
import { defineIdempotencyKey } from './idempotency-key.ts'
import { defineTransaction } from './transaction.ts'
import { defineUser } from './user.ts'
import { defineWebhookEvent } from './webhook-event.ts'

/** Defines every model on one Sequelize instance. */
export function defineModels(sequelize: Sequelize) {
  return {
    User: defineUser(sequelize),
    Activity: defineActivity(sequelize),
    Transaction: defineTransaction(sequelize),
    Balance: defineBalance(sequelize),
    IdempotencyKey: defineIdempotencyKey(sequelize),
    WebhookEvent: defineWebhookEvent(sequelize),
  }
}

/** The models of one generation. */
export type Models = ReturnType<typeof defineModels>
