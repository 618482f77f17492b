import type pg from 'pg'
import type { GuardedClient, GuardedClientClass, TypeHooks } from '../wire/guarded-client.ts'

/** A connection that is made while what is to use it is still being loaded. */
export interface EarlyConnection {
  /**
   * Takes it away while nothing has taken it, for what connects with `config` (without one, for whatever ends it).
   * Connecting it is to join in: what that meets is told as if it had begun only then. `undefined` when it is taken, or was
   * made for another address.
   */
  take(config?: pg.ClientConfig, hooks?: TypeHooks): GuardedClient | undefined
}

const ADDRESS = ['host', 'port', 'user', 'password', 'database'] as const

/**
 * Begins to connect. `config` is what Sequelize will make its clients with, but for the types: those are Sequelize's own.
 * `hooks` are those of `Client`.
 */
export function beginConnection(
  Client: GuardedClientClass,
  config: pg.ClientConfig,
  ownTypes: pg.CustomTypesConfig,
  hooks: TypeHooks = {},
): EarlyConnection {
  let types = ownTypes
  const getTypeParser = ((...given: Parameters<pg.CustomTypesConfig['getTypeParser']>) =>
    types.getTypeParser(...given) as unknown) as pg.CustomTypesConfig['getTypeParser']
  const ssl = typeof config.ssl === 'object' ? { ...config.ssl } : config.ssl
  let client: GuardedClient | undefined = new Client({ ...config, ssl, types: { getTypeParser } })
  client.connect(() => undefined)
  // What `tls.connect` would make of it once the server has agreed to TLS.
  try {
    if (typeof ssl === 'object') ssl.secureContext = process.getBuiltinModule('node:tls').createSecureContext(ssl)
  } catch {
    // It will meet the same, and then that is an error of connecting like any other.
  }
  return {
    take(given, { completeTypes } = {}) {
      const taken = client
      client = undefined
      if (given !== undefined && ADDRESS.some(part => !isSame(given[part], config[part]))) {
        taken?.destroySocket()
        return undefined
      }
      if (given?.types !== undefined) types = given.types
      if (completeTypes !== undefined) hooks.completeTypes = completeTypes
      return taken
    },
  }
}

// Sequelize gives null for an empty password.
function isSame(one: unknown, other: unknown): boolean {
  return (one ?? '') === (other ?? '')
}
