import { application } from '../../application.ts'

/** What is checked, and what it is checked with. */
export interface SmokeTarget {
  /** What stands before the names of the functions, such as `/webhook` and `/health`. */
  readonly url: string
  /** Of the source `demo`. */
  readonly webhookSecret: string
  /** With the scopes that the application's own checks need; undefined when they need none. */
  readonly apiKey: string | undefined
  readonly healthKey: string | undefined
}

/**
 * Reads the keys for a deployment.
 * @throws Error that names every variable that is missing.
 */
export function readTarget(url: string, environment: Readonly<Record<string, string | undefined>>): SmokeTarget {
  const webhookSecret = firstOf(environment[application.defaultSource.secrets])
  // The setting of the functions holds no key, only what it is recognised by.
  const apiKey = firstOf(environment.SMOKE_API_KEY)
  const { scopes } = application.smoke
  const missing = [
    ...(webhookSecret === undefined ? [`${application.defaultSource.secrets} (as it is deployed)`] : []),
    ...(apiKey === undefined && scopes.length > 0 ? [`SMOKE_API_KEY (npm run keys -- new smoke ${scopes.join(' ')} makes one)`] : []),
  ]
  if (webhookSecret === undefined || missing.length > 0) throw new Error(`Set in .env or in the environment: ${missing.join(', ')}`)
  return { url, webhookSecret, apiKey, healthKey: firstOf(environment.HEALTH_KEY) }
}

/** While a secret is being replaced there are two, and the functions take either. */
function firstOf(text: string | undefined): string | undefined {
  const [value] = text?.trim().split(/\s+/) ?? []
  return value === undefined || value === '' || value === 'none' ? undefined : value
}
