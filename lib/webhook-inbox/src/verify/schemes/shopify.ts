import { hmac } from './hmac.ts'
import type { Scheme } from './scheme.ts'

/** Shopify. Neither time, nor id, nor type is signed. A source may count by `x-shopify-event-id` instead. */
export const shopify: Scheme<Buffer> = {
  ...hmac({ signature: { header: 'x-shopify-hmac-sha256', algorithm: 'sha256', encoding: 'base64' } }),
  eventId: { header: 'x-shopify-webhook-id' },
  type: { header: 'x-shopify-topic' },
}
