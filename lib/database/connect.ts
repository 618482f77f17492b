import type { DatabaseSettings } from '../config/settings/database.ts'
import type { Logger } from '../telemetry/logger.ts'
import { DatabaseManager } from './manager.ts'
import { DatabaseService } from './service.ts'

/** The two things that a function holds of the database. */
export interface Database {
  readonly manager: DatabaseManager
  readonly service: DatabaseService
}

/** Prepares the database of one function; connects to nothing. Warns when the connection will not be verified. */
export function prepareDatabase(settings: DatabaseSettings, { name, logger }: { name: string; logger: Logger }): Database {
  if (settings.tls.mode === 'unverified') {
    logger.warn({ event: 'database.tls.unverified', hint: 'Set DB_CA_CERT: without it the connection is encrypted, but to whom is not known.' })
  }
  const manager = new DatabaseManager({ settings, applicationName: name, logger })
  return { manager, service: new DatabaseService({ manager, logger }) }
}
