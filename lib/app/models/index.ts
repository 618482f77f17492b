import type { Sequelize } from 'sequelize'
import { defineActivity } from './activity.ts'
import { defineBalance } from './balance.ts'
import { defineIdempotencyKey } from './idempotency-key.ts'
import { defineTransaction } from './transaction.ts'
import { defineUser } from './user.ts'
import { defineWebhookEvent } from './webhook-event.ts'

/** Defines every model on one Sequelize instance, with its table in `schema`. */
export function defineModels(sequelize: Sequelize, schema: string) {
  return {
    User: defineUser(sequelize, schema),
    Activity: defineActivity(sequelize, schema),
    Transaction: defineTransaction(sequelize, schema),
    Balance: defineBalance(sequelize, schema),
    IdempotencyKey: defineIdempotencyKey(sequelize, schema),
    WebhookEvent: defineWebhookEvent(sequelize, schema),
  }
}

export type Models = ReturnType<typeof defineModels>

declare module '../../functions-runtime/src/database/models.ts' {
  interface ApplicationModels extends Models {}
}
