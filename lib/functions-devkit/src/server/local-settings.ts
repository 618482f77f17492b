import { writeKey } from '../../../functions-runtime/src/settings/api-keys.ts'
import { digestOf } from '../../../functions-runtime/src/edge/auth.ts'
import { localHealthKey } from './local-health-key.ts'
import { type LocalSecrets } from './secrets.ts'
import { localWebhookSecrets } from './webhook-secrets.ts'

// Everything that says where a server is. All of it is set, so that no part of a real address gets mixed in.
const ADDRESS = [
  ...['DB_HOST', 'DB_PORT', 'DB_NAME', 'DB_USER', 'DB_PASSWORD', 'DB_SSLMODE', 'DB_CA_CERT', 'DB_TLS_NEGOTIATION', 'DB_POOLER'],
  ...['REDIS_CA_CERT', 'ALERT_URL', 'HEARTBEAT_URL'],
]

const MADE_HERE = ['DB_CONNECTION_URL', 'DB_MIGRATION_URL', 'REDIS_URL', 'API_KEYS', 'HEALTH_KEY']

/** Settings that a shell may have of a deployment, whether project.yml names them or not. */
export const OWN_SETTINGS: readonly string[] = [...ADDRESS, ...MADE_HERE, 'DB_SCHEMA', 'LOG_LEVEL']

export interface LocalSettingsOptions {
  readonly databaseUrl: string
  /** Without it, there is no outage buffer. */
  readonly redisUrl?: string | undefined
  readonly secrets: LocalSecrets
}

/** The settings that are different on a developer's machine. `none` stands for not set. */
export function localSettings({ databaseUrl, redisUrl = 'none', secrets }: LocalSettingsOptions): Record<string, string> {
  return {
    ...Object.fromEntries(ADDRESS.map(name => [name, 'none'])),
    DB_CONNECTION_URL: databaseUrl,
    DB_MIGRATION_URL: databaseUrl,
    REDIS_URL: redisUrl,
    ...localWebhookSecrets(secrets.webhookSecret),
    API_KEYS: localApiKeys(secrets, []),
    HEALTH_KEY: localHealthKey(secrets.webhookSecret),
    ...loginOfLibraries(databaseUrl),
  }
}

// Read by libraries without being asked to, such as pg.
function loginOfLibraries(databaseUrl: string): Record<string, string> {
  if (databaseUrl === 'none') return {}
  const { hostname, port, username, password, pathname } = new URL(databaseUrl)
  const [user, secret, database] = [username, password, pathname.slice(1)].map(decodeURIComponent) as [string, string, string]
  return { PGHOST: hostname, PGPORT: port, PGUSER: user, PGPASSWORD: secret, PGDATABASE: database }
}

/** Returns `API_KEYS` with the API key of this machine, for these scopes. */
export function localApiKeys({ apiKey }: Pick<LocalSecrets, 'apiKey'>, scopes: readonly string[]): string {
  return writeKey({ name: 'local', scopes, digest: digestOf(apiKey) })
}
