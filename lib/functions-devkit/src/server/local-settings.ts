import { writeKey } from '../../../functions-runtime/src/settings/api-keys.ts'
import { digestOf } from '../../../functions-runtime/src/edge/auth.ts'
import { localHealthKey } from './local-health-key.ts'
import { type LocalSecrets } from './secrets.ts'
import { localWebhookSecrets } from './webhook-secrets.ts'

// Everything that says where the database is. All of it is set, so that nothing of a real database's address that is
// in the shell by chance gets mixed in.
const ADDRESS = ['DB_HOST', 'DB_PORT', 'DB_NAME', 'DB_USER', 'DB_PASSWORD', 'DB_SSLMODE', 'DB_CA_CERT', 'DB_TLS_NEGOTIATION']

export interface LocalSettingsOptions {
  readonly databaseUrl: string
  readonly secrets: LocalSecrets
  /** What the API key of this machine may be for. */
  readonly scopes: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** The settings that are different on a developer's machine. `none` stands for not set. */
export function localSettings({ databaseUrl, secrets, scopes, environment }: LocalSettingsOptions): Record<string, string> {
  return {
    ...Object.fromEntries(ADDRESS.map(name => [name, 'none'])),
    DB_CONNECTION_URL: databaseUrl,
    DB_MIGRATION_URL: databaseUrl,
    ...localWebhookSecrets(secrets.webhookSecret),
    API_KEYS: writeKey({ name: 'local', scopes, digest: digestOf(secrets.apiKey) }),
    HEALTH_KEY: localHealthKey(secrets.webhookSecret),
    LOG_LEVEL: environment.LOG_LEVEL || 'info',
  }
}
