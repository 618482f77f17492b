import { sourceTable } from '../../webhooks/sources.ts'

/** What is checked, and what it is checked with. */
export interface SmokeTarget {
  /** What stands before `/webhook`, `/user` and `/health`. */
  readonly url: string
  /** Of the source `demo`. */
  readonly webhookSecret: string
  /** With the scopes `users:read` and `users:write`. */
  readonly apiKey: string
  readonly healthKey: string | undefined
}

/** Where the key of the API stands: the setting of the functions holds no key, only what it is recognised by. */
export const API_KEY_VARIABLE = 'SMOKE_API_KEY'

/**
 * Reads the keys for a deployment.
 * @throws Error that names every variable that is missing.
 */
export function readTarget(url: string, environment: Readonly<Record<string, string | undefined>>): SmokeTarget {
  const valueOf = (variable: string) => {
    // While one is being replaced there are two, and the functions take either.
    const [value] = environment[variable]?.trim().split(/\s+/) ?? []
    return value === undefined || value === '' || value === 'none' ? undefined : value
  }
  const webhookSecret = valueOf(sourceTable.demo.secrets)
  const apiKey = valueOf(API_KEY_VARIABLE)
  const missing = [
    ...(webhookSecret === undefined ? [`${sourceTable.demo.secrets} (as it is deployed)`] : []),
    ...(apiKey === undefined ? [`${API_KEY_VARIABLE} (npm run keys -- new smoke users:read users:write makes one)`] : []),
  ]
  if (webhookSecret === undefined || apiKey === undefined) throw new Error(`Set in .env or in the environment: ${missing.join(', ')}`)
  return { url, webhookSecret, apiKey, healthKey: valueOf('HEALTH_KEY') }
}
