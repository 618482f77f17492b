import type { AlertSettings } from '../settings/alerts.ts'
import type { BufferSettings } from '../../../webhook-inbox/src/settings/buffer.ts'
import type { DatabaseService } from '../../../functions-runtime/src/database/service.ts'
import { currentDeadline } from '../../../invocation/src/deadline-scope.ts'
import type { Counters } from '../../../functions-runtime/src/telemetry/counters.ts'
import type { Logger } from '../../../functions-runtime/src/telemetry/logger.ts'
import { createAlerts, type Alerts } from './alerts.ts'
import { createDatabaseMemory } from './database-memory.ts'
import { createContainerMemory, createLayeredMemory, type AlertMemory } from './memory.ts'
import { createRedisMemory } from './redis-memory.ts'

export interface PrepareAlertsOptions {
  settings: AlertSettings | undefined
  redis: BufferSettings | undefined
  /** Remembers where there is no Redis; not for those who tell of it while it is away. */
  database?: Pick<DatabaseService, 'execute'> | undefined
  logger: Logger
  counters: Counters
}

/** Prepares the alerts of one function, and what remembers them: Redis, else the database, else the container. Connects to nothing. */
export function prepareAlerts({ settings, redis, database, logger, counters }: PrepareAlertsOptions): {
  alerts: Alerts
  memory: Required<AlertMemory>
} {
  const durable = [
    ...(redis === undefined ? [] : [createRedisMemory(redis, currentDeadline)]),
    ...(database === undefined ? [] : [createDatabaseMemory(database)]),
  ]
  const memory = createLayeredMemory(durable, createContainerMemory())
  return { alerts: createAlerts({ settings, memory, logger, counters }), memory }
}
