import type { WebhookHandler } from '../../../webhook-inbox/src/inbox/handler.ts'
import { alertRaised } from './alert-raised.ts'
import { smokePing } from './smoke-ping.ts'
import { transactionCompleted } from './transaction-completed.ts'
import { transactionFailed } from './transaction-failed.ts'
import { transactionRefunded } from './transaction-refunded.ts'
import { userCreated } from './user-created.ts'
import { userUpdated } from './user-updated.ts'

/** Every handler; an event of a type that none is for is stored and otherwise ignored. */
export const handlers: readonly WebhookHandler[] = [
  alertRaised,
  smokePing,
  transactionCompleted,
  transactionFailed,
  transactionRefunded,
  userCreated,
  userUpdated,
]
