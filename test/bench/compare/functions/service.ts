import { randomUUID } from 'node:crypto'
import { databaseSettings } from '../../../../lib/config/settings/database.ts'
import { readSettings } from '../../../../lib/config/settings.ts'
import { prepareDatabase } from '../../../../lib/database/connect.ts'
import { createOperations } from '../../../../lib/database/operations.ts'
import { openDeadline } from '../../../../lib/invocation/src/deadline.ts'
import { createLogger } from '../../../../lib/telemetry/logger.ts'

// Ours without its edge: an operation on the database, as a handler calls it.

const SEED = '0198c0de-0000-7000-8000-000000000001'
const DEADLINE_MS = 10_000

let database: ReturnType<typeof start> | undefined

function start() {
  const settings = readSettings({ database: databaseSettings })
  const { service, manager } = prepareDatabase(settings.database, {
    name: 'bench/service',
    logger: createLogger({ name: 'bench/service', level: 'error' }),
    timeLimitMs: DEADLINE_MS,
  })
  return { service, manager, operations: createOperations(service) }
}

/** Sequelize, pg and all models, without a connection. */
export async function evaluate(): Promise<void> {
  database ??= start()
  await database.manager.currentGeneration()
}

export async function call(kind: 'read' | 'write'): Promise<void> {
  const { operations } = (database ??= start())
  const deadline = openDeadline({ remainingMs: DEADLINE_MS })
  try {
    if (kind === 'write')
      await operations.create('User', { id: randomUUID(), email: `${randomUUID()}@example.com`, name: 'Bench', externalId: null }, { deadline })
    else if ((await operations.findByPk('User', SEED, {}, { deadline })) === null) throw new Error('nobody was found')
  } finally {
    deadline.clear()
  }
}
