import pg from 'pg'
import type { ClientConfig } from 'pg'
import { beginConnection, type EarlyConnection } from './pool/early-connection.ts'
import { guardClient, type GuardOptions } from './wire/client.ts'
import type { TypeHooks } from './wire/guarded-client.ts'

export type { EarlyConnection } from './pool/early-connection.ts'

/**
 * Begins to connect before Sequelize is loaded, which takes longer than pg. Hand what it returns to
 * `new ResilientSequelize(…, { resilience: { early } })` with the same address: the first connection of its pool is this
 * one. It is dropped when that instance has a `beforeConnect` hook.
 * `config` is pg's; what cannot be connected is told to the first call that needs the connection.
 */
export function connectEarly(config: ClientConfig, options: Omit<GuardOptions, 'hooks'> = {}): EarlyConnection {
  const hooks: TypeHooks = {}
  return beginConnection(guardClient(pg.Client, { ...options, hooks }), config, pg.types, hooks)
}
