import { defineSource } from '../../../webhook-inbox/src/verify/define-source.ts'

export const stripe = defineSource({ scheme: 'stripe', secrets: 'WEBHOOK_SECRET_STRIPE' })
