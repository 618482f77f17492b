import { defineSource } from '../../../webhook-inbox/src/verify/define-source.ts'

export const demo = defineSource({ scheme: 'standard', secrets: 'WEBHOOK_SECRET_DEMO' })
