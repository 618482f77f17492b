import type { WebhookHandler } from '../handler.ts'
import { transactionCompleted } from './transaction-completed.ts'

/** Every handler; an event of a type that none is for is stored and otherwise ignored. */
export const handlers: readonly WebhookHandler[] = [transactionCompleted]
