import { defineSource } from '../../../webhook-inbox/src/verify/define-source.ts'

export const shopify = defineSource({ scheme: 'shopify', secrets: 'WEBHOOK_SECRET_SHOPIFY', answerWithinMs: 4_000 })
