import type { Environment } from '../../../../../functions-runtime/src/settings/settings.ts'

/** The variable that a part of the database's address stands in: the URL, if there is one. */
export function variableFor(part: 'HOST' | 'PORT' | 'NAME' | 'USER' | 'PASSWORD' | 'SSLMODE', variables: Environment): string {
  const url = variables.DB_CONNECTION_URL
  return url !== undefined && url.toLowerCase() !== 'none' ? 'DB_CONNECTION_URL' : `DB_${part}`
}
