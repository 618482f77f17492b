import type { SourceDefinition } from '../../../../../../webhook-inbox/src/verify/source.ts'
import { defineSources, describeSources } from '../../../../../../webhook-inbox/src/verify/source-settings.ts'
import { handlers } from './handlers/index.ts'

/** One source of each scheme. */
export const sourceTable = {
  demo: { scheme: 'standard', secrets: 'WEBHOOK_SECRET_DEMO' },
  stripe: { scheme: 'stripe', secrets: 'WEBHOOK_SECRET_STRIPE' },
  github: { scheme: 'github', secrets: 'WEBHOOK_SECRET_GITHUB', answerWithinMs: 8_000, replayGuard: 'body' },
  shopify: { scheme: 'shopify', secrets: 'WEBHOOK_SECRET_SHOPIFY', answerWithinMs: 4_000 },
  digitalocean: { scheme: 'digitalocean', secrets: 'WEBHOOK_SECRET_DIGITALOCEAN', eventId: 'body', type: { pointer: '/type' } },
  partner: {
    scheme: 'hmac',
    secrets: 'WEBHOOK_SECRET_PARTNER',
    signature: { header: 'x-signature', algorithm: 'sha256', encoding: 'hex', prefix: 'sha256=' },
    timestamp: { header: 'x-timestamp', separator: '.' },
    eventId: { pointer: '/id' },
    type: { pointer: '/type' },
    data: '/data',
  },
} as const satisfies Record<string, SourceDefinition>

export const sourceSettings = defineSources(sourceTable, handlers)
export const describedSources = describeSources(sourceTable, handlers)
