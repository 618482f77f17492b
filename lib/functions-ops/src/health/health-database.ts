import { randomBytes } from 'node:crypto'
import type { DatabaseSettings } from '../../../functions-runtime/src/database/settings.ts'
import type { GuardedClient } from '../../../resilient-sequelize/src/wire/guarded-client.ts'
import { DatabaseBusyError } from '../../../resilient-sequelize/src/errors/errors.ts'
import { openDatabase } from '../../../functions-runtime/src/database/connect.ts'
import type { PoolManager } from '../../../resilient-sequelize/src/pool/manager.ts'
import type { Logger } from '../../../functions-runtime/src/telemetry/logger.ts'

export interface HealthDatabaseOptions {
  /** The pool that others use, and that is told of. */
  manager: PoolManager
  settings: DatabaseSettings
  logger: Logger
}

/** Asks the database for health's sake. */
export interface HealthDatabase {
  readonly manager: PoolManager
  /** Where our tables are. */
  readonly schema: string
  /**
   * Past the circuit breaker, over the pool's connection, or over one of its own where others have them all.
   * @throws whatever was met, or the signal's reason.
   */
  ask<Seen>(signal: AbortSignal, question: (client: GuardedClient) => Promise<Seen>): Promise<Seen>
  shutdown(): Promise<void>
}

const ENDING_MS = 200
// So much of the pool's size that everybody who waits for the pool is told of.
const OWN_POOL = { max: 1, min: 0, acquireMs: 5_000, idleMs: 1_000, evictMs: 1_000 }

/** Prepares it; connects to nothing. The connection of its own is closed as soon as it has answered. */
export function createHealthDatabase({ manager, settings, logger }: HealthDatabaseOptions): HealthDatabase {
  const profile = { ...settings.profile, pool: OWN_POOL, background: undefined, crowdedAt: undefined }
  const { manager: own } = openDatabase({
    settings: { ...settings, profile },
    applicationName: `api/health-check:${randomBytes(4).toString('hex')}`,
    logger,
  })
  async function overOwn<Seen>(signal: AbortSignal, question: (client: GuardedClient) => Promise<Seen>): Promise<Seen> {
    try {
      return await own.look(signal, question)
    } finally {
      await own.end(ENDING_MS)
    }
  }
  return {
    manager,
    schema: settings.schema,
    async ask(signal, question) {
      const { pool } = manager.getConnectionStatus()
      if (pool.inUse + pool.waiting >= pool.max) return overOwn(signal, question)
      try {
        return await manager.look(signal, question)
      } catch (error) {
        // Others took the last one at the same moment.
        if (error instanceof DatabaseBusyError && !signal.aborted) return overOwn(signal, question)
        throw error
      }
    },
    async shutdown() {
      await Promise.all([manager.gracefulShutdown(), own.gracefulShutdown()])
    },
  }
}
