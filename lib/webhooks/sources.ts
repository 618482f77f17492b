import type * as z from 'zod/mini'
import { defineSettings, SettingIssues } from '../config/settings.ts'
import { requiredText } from '../config/schemas.ts'
import { readStandardSecret, verifyStandard, type VerifiedWebhook } from './schemes/standard.ts'

/** Who sends webhooks, and which variable holds the secrets shared with them (several, apart by blanks, in rotation). */
const table = {
  demo: { scheme: 'standard', secrets: 'WEBHOOK_SECRET_DEMO' },
} as const satisfies Record<string, { scheme: 'standard'; secrets: string }>

/** A source with its secrets read. */
export interface Source {
  readonly name: string
  /** The sender waits no longer, in ms. */
  readonly answerWithinMs?: number
  /** `body`: a body counts once, under whatever id it comes. */
  readonly replayGuard?: 'body'
  /** The sender changes the body of an event between its deliveries. */
  readonly bodyMayChange?: boolean
  verify(request: { headers: Readonly<Record<string, string>>; body: Buffer }): VerifiedWebhook
}

const variables: Record<string, z.ZodMiniType<string>> = Object.fromEntries(Object.values(table).map(({ secrets }) => [secrets, requiredText()]))

/** The sources by name, as the webhook function is configured. */
export const sourceSettings = defineSettings(variables, (values): ReadonlyMap<string, Source> => {
  const sources = new Map<string, Source>()
  for (const [name, { secrets: variable }] of Object.entries(table)) {
    const keys = (values[variable] ?? '').trim().split(/\s+/).map(readStandardSecret)
    if (keys.includes(undefined)) throw new SettingIssues([{ variable, reason: 'is no whsec_ secret (base64 of 24 to 64 bytes)' }])
    const known = keys.filter(key => key !== undefined)
    sources.set(name, { name, verify: request => verifyStandard(request, { keys: known }) })
  }
  return sources
})
