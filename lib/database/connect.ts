import { randomBytes } from 'node:crypto'
import type { DatabaseSettings } from '../config/settings/database.ts'
import { noteCount } from '../invocation/src/invocation-scope.ts'
import { createCounters } from '../telemetry/counters.ts'
import type { Logger } from '../telemetry/logger.ts'
import { CounterFlush } from './counter-flush.ts'
import { DatabaseManager } from '../resilient-sequelize/src/pool/manager.ts'
import { DatabaseService } from '../resilient-sequelize/src/operation/service.ts'

/** The two things that a function holds of the database. */
export interface Database {
  readonly manager: DatabaseManager
  readonly service: DatabaseService
}

/**
 * Prepares the database of one function; connects to nothing. Warns when the connection will not be verified. The
 * server shows the function's name for each session, with a mark that no other container has.
 */
export function prepareDatabase(
  settings: DatabaseSettings,
  { name, logger, timeLimitMs }: { name: string; logger: Logger; timeLimitMs: number },
): Database {
  if (settings.tls.mode === 'unverified') {
    logger.warn({ event: 'database.tls.unverified', hint: 'Set DB_CA_CERT: without it the connection is encrypted, but to whom is not known.' })
  }
  const counters = createCounters({ noted: noteCount })
  const manager = new DatabaseManager({
    settings,
    applicationName: `${name}:${randomBytes(4).toString('hex')}`,
    timeLimitMs,
    logger,
    counters,
    behindCommit: new CounterFlush({ counters, functionName: name, logger }).send,
  })
  return { manager, service: new DatabaseService({ manager, logger, counters }) }
}
