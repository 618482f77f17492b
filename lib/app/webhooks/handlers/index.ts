// Written by `npm run sync`; do not edit. Each file beside this one is listed by what it exports.
import { alertRaised } from './alert-raised.ts'
import { smokePing } from './smoke-ping.ts'
import { transactionCompleted } from './transaction-completed.ts'
import { transactionFailed } from './transaction-failed.ts'
import { transactionRefunded } from './transaction-refunded.ts'
import { userCreated } from './user-created.ts'
import { userUpdated } from './user-updated.ts'
import type { WebhookHandler } from '../../../webhook-inbox/src/inbox/handler.ts'

export const handlers: readonly WebhookHandler[] = [
  // An event of a type that none is for is stored and otherwise ignored.
  alertRaised,
  smokePing,
  transactionCompleted,
  transactionFailed,
  transactionRefunded,
  userCreated,
  userUpdated,
]
