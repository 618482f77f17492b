import { createHmac } from 'node:crypto'

/** The headers of Standard Webhooks 1.0.0 with a shared secret: `v1` over `id.timestamp.body`. `sentAt` is in epoch ms. */
export function signStandard({ id, body, sentAt, key }: { id: string; body: string | Buffer; sentAt: number; key: Buffer }): Record<string, string> {
  const timestamp = String(Math.floor(sentAt / 1000))
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` }
}
