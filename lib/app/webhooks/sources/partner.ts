import { defineSource } from '../../../webhook-inbox/src/verify/define-source.ts'

// A sender that follows no scheme of a name, to copy.
export const partner = defineSource({
  scheme: 'hmac',
  secrets: 'WEBHOOK_SECRET_PARTNER',
  signature: { header: 'x-signature', algorithm: 'sha256', encoding: 'hex', prefix: 'sha256=' },
  timestamp: { header: 'x-timestamp', separator: '.' },
  eventId: { pointer: '/id' },
  type: { pointer: '/type' },
  data: '/data',
})
