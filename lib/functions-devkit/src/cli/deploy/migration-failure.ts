import * as z from 'zod/mini'
import type { CallOutcome } from '../doctl/call.ts'
import { TRUSTED } from '../doctor/database/cures.ts'

const problem = z.object({ code: z.string(), detail: z.optional(z.string()) })

const KEPT = 'nothing else was deployed, the old functions still serve'
const LIMIT = 'raise the timeout of ops/migrate in project.yml (up to 900000), then npm run deploy again; npm run migrate -- up has no such limit'
const CURES: Readonly<Record<string, string>> = {
  'migration-breaking': 'npm run deploy -- --allow-breaking, if the deployed functions may fail until the new ones replace them',
  'migration-failed': `correct the migration, npm run migrate -- check, then npm run deploy again: ${KEPT}`,
  'pooler-refused': 'DB_MIGRATION_URL with the address of the database itself, port 25060',
  'settings-invalid': 'npm run doctor names the settings and their cures',
  'database-busy': `the server has no free connection: ${KEPT}; npm run doctor shows how many are in use`,
  'deadline-exceeded': LIMIT,
}

const MEMORY = 'raise the memory of ops/migrate in project.yml (limits, in MB), then npm run deploy again'
// The cause of database-unavailable is logged by its code. Without one of these, as after a timeout, nothing answered.
const UNAVAILABLE: readonly (readonly [RegExp, string])[] = [
  [/\((28P01|3D000)\)/, 'correct user, password and database name in .env; npm run doctor names which'],
  [/\(28000\)/, `${TRUSTED}; or it wants TLS: sslmode=require`],
  [/\(42501\)/, 'GRANT CONNECT ON DATABASE … TO the user of the functions'],
  [/\(57P03\)/, 'the server is starting, stopping or recovering: wait, then npm run deploy again'],
  [/\((ENOTFOUND|EAI_AGAIN)\)/, 'correct the host in .env: its name does not resolve; npm run doctor checks it'],
  [/\(ECONNREFUSED\)/, 'correct host and port in .env: nothing listens there; npm run doctor checks them'],
  [
    /\((CERT_\w+|\w+_CERT_\w+|UNABLE_TO_\w+|\w+_SELF_SIGNED_CERT|SELF_SIGNED_\w+|ERR_(TLS|SSL)_\w+)\)|does not support SSL/,
    'correct sslmode and DB_CA_CERT in .env; npm run doctor names which',
  ],
]
// The platform asks to call again later; anything else it refuses stays refused.
const LATER = /too many|\b(429|5\d\d)\b|connection failed|timed out|has not ended/i

/** Returns why a call of ops/migrate brought no result, and what to do next. */
export function explainFailure(call: CallOutcome, log: readonly string[]): { readonly reason: string; readonly cure: string } {
  switch (call.outcome) {
    case 'not-called':
      return {
        reason: `was not called: ${call.reason}`,
        cure: `${LATER.test(call.reason) ? 'wait a minute, then npm run deploy again' : 'npm run doctor checks how doctl is connected'}: ${KEPT}`,
      }
    case 'unknown':
      return { reason: call.reason, cure: `doctl serverless activations get ${call.id} shows how it ended; then npm run deploy again` }
    case 'succeeded':
      return { reason: 'answers in an unknown form: another function has its name', cure: 'npm run deploy again' }
    case 'failed':
      return explainError(call.error, log)
    default:
      return call satisfies never
  }
}

function explainError(error: unknown, log: readonly string[]): { readonly reason: string; readonly cure: string } {
  const { code, detail } = problem.safeParse(error).data ?? {}
  if (code !== undefined) {
    const reason = `failed: ${code}${detail === undefined ? '' : `: ${detail}`}`
    if (code === 'database-unavailable') return { reason, cure: cureOfUnavailable(log) }
    const cure = CURES[code] ?? `${log.length > 0 ? 'see its log below' : 'doctl serverless activations logs --function ops/migrate'}: ${KEPT}`
    return { reason, cure }
  }
  const text = typeof error === 'string' ? error : (z.object({ message: z.string() }).safeParse(error).data?.message ?? 'no reason given')
  if (/exceeded its time limit/.test(text)) return { reason: `failed: ${text}`, cure: LIMIT }
  if (/memory/i.test(text)) return { reason: `failed: ${text}`, cure: `${MEMORY}: ${KEPT}` }
  return { reason: `crashed: ${text}`, cure: `${log.length > 0 ? 'its log follows' : 'it left no log'}: ${KEPT}` }
}

function cureOfUnavailable(log: readonly string[]): string {
  const [, cure] = UNAVAILABLE.find(([code]) => log.some(line => code.test(line))) ?? []
  return `${cure ?? `${TRUSTED}; then check host and port with npm run doctor`}: ${KEPT}`
}
