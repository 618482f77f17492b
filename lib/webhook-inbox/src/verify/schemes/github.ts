import { hmac } from './hmac.ts'
import type { Scheme } from './scheme.ts'

/** GitHub. Neither time, nor id, nor type is signed. A redelivery keeps its id. */
export const github: Scheme<Buffer> = {
  ...hmac({ signature: { header: 'x-hub-signature-256', algorithm: 'sha256', encoding: 'hex', prefix: 'sha256=' } }),
  eventId: { header: 'x-github-delivery' },
  type: { header: 'x-github-event' },
  // Its default content type, `application/x-www-form-urlencoded`.
  formField: 'payload',
}
