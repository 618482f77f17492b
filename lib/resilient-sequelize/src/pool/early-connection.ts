import type pg from 'pg'
import type { GuardedClient, GuardedClientClass } from '../wire/client.ts'

/** A connection that is made while what is to use it is still being loaded. */
export interface EarlyConnection {
  /** The class that sequelize is given: the first client that it makes is this one, and connecting it is to join in. */
  readonly Client: GuardedClientClass
  /** Takes it away while nobody has it; `undefined` when somebody has. */
  take(): GuardedClient | undefined
}

/**
 * Begins to connect. What that meets, whoever is given the connection is told, as if it had begun only then.
 * `config` is what sequelize will make its clients with, but for the types: those are sequelize's own.
 */
export function connectEarly(Client: GuardedClientClass, config: pg.ClientConfig, ownTypes: pg.CustomTypesConfig): EarlyConnection {
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
  const take = () => {
    const taken = client
    client = undefined
    return taken
  }
  function HandedOut(given: pg.ClientConfig): GuardedClient {
    const taken = take()
    if (taken === undefined) return new Client(given)
    types = given.types ?? ownTypes
    return taken
  }
  return { Client: HandedOut as unknown as GuardedClientClass, take }
}
