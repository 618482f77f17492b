import { createHmac, randomUUID } from 'node:crypto'
import { webhookSecret } from './functions.ts'

export interface SignOptions {
  id?: string
  /** Epoch seconds. */
  timestamp?: number
  secret?: string
}

/** Headers of a Standard Webhooks delivery, signed with `node:crypto` alone. */
export function signedHeaders(
  body: string | Buffer,
  { id = `msg_${randomUUID()}`, timestamp = Math.floor(Date.now() / 1000), secret = webhookSecret }: SignOptions = {},
): Record<string, string> {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')
  return { 'content-type': 'application/json', 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': `v1,${signature}` }
}

/** A `transaction.completed` event that nothing is wrong with. */
export function completedTransaction(data: Record<string, unknown> = {}): string {
  return JSON.stringify({
    type: 'transaction.completed',
    timestamp: new Date().toISOString(),
    data: { transactionId: `txn_${randomUUID()}`, userId: 'usr_1', amount: '12.50', currency: 'EUR', ...data },
  })
}

/** An event of any type. */
export function eventBody(type: string, data: unknown, timestamp = new Date().toISOString()): string {
  return JSON.stringify({ type, timestamp, data })
}
