import type { WebhookHandler } from '../handler.ts'
import { transactionCompleted } from './transaction-completed.ts'

/** Every handler; an event of a type that none is for is stored and otherwise ignored. */
const handlers: readonly WebhookHandler[] = [transactionCompleted]

const byType: ReadonlyMap<string, WebhookHandler> = new Map(handlers.map(handler => [handler.type, handler]))

export function handlerFor(type: string): WebhookHandler | undefined {
  return byType.get(type)
}
