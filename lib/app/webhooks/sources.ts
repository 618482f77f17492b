import type { SourceDefinition } from '../../webhook-inbox/src/verify/source.ts'
import { defineSources, describeSources } from '../../webhook-inbox/src/verify/source-settings.ts'
import { handlers } from './handlers/index.ts'

/** Who sends webhooks: `POST /webhook/<name>`. A source without a secret in its variable is off. */
export const sourceTable = {
  demo: { scheme: 'standard', secrets: 'WEBHOOK_SECRET_DEMO' },
  stripe: { scheme: 'stripe', secrets: 'WEBHOOK_SECRET_STRIPE' },
  github: { scheme: 'github', secrets: 'WEBHOOK_SECRET_GITHUB', answerWithinMs: 8_000, replayGuard: 'body' },
  shopify: { scheme: 'shopify', secrets: 'WEBHOOK_SECRET_SHOPIFY', answerWithinMs: 4_000 },
  // What DigitalOcean sends besides the signature is not documented: these places are to be compared with a first delivery.
  digitalocean: { scheme: 'digitalocean', secrets: 'WEBHOOK_SECRET_DIGITALOCEAN', eventId: 'body', type: { pointer: '/type' } },
  // A sender that follows no scheme of a name, to copy.
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

/** The sources by name, as the webhook function is configured. */
export const sourceSettings = defineSources(sourceTable, handlers)

/** The same without their secrets: for what was verified when it came. */
export const describedSources = describeSources(sourceTable, handlers)
