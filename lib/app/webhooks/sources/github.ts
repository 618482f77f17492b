import { defineSource } from '../../../webhook-inbox/src/verify/define-source.ts'

export const github = defineSource({ scheme: 'github', secrets: 'WEBHOOK_SECRET_GITHUB', answerWithinMs: 8_000, replayGuard: 'body' })
