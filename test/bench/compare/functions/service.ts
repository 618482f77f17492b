import { randomUUID } from 'node:crypto'
import { databaseSettings } from '../../../../lib/functions-runtime/src/database/settings.ts'
import { readSettings } from '../../../../lib/functions-runtime/src/settings/settings.ts'
import { prepareDatabase } from '../../../../lib/functions-devkit/test/application/lib/app/database.ts'
import type { Models } from '../../../../lib/functions-devkit/test/application/lib/app/models/index.ts'
import { openDeadline } from '../../../../lib/invocation/src/deadline.ts'
import { createLogger } from '../../../../lib/functions-runtime/src/telemetry/logger.ts'

const usersOf = (models: unknown) => (models as Models).User

// Ours without its edge: an operation on the database, as a handler calls it.

const SEED = '0198c0de-0000-7000-8000-000000000001'
const DEADLINE_MS = 10_000

let database: ReturnType<typeof start> | undefined

function start() {
  const settings = readSettings({ database: databaseSettings })
  return prepareDatabase(settings.database, {
    name: 'bench/service',
    logger: createLogger({ name: 'bench/service', level: 'error' }),
    timeLimitMs: DEADLINE_MS,
  })
}

/** Sequelize, pg and all models, without a connection. */
export async function evaluate(): Promise<void> {
  database ??= start()
  await database.manager.currentGeneration()
}

export async function call(kind: 'read' | 'write'): Promise<void> {
  const { service } = (database ??= start())
  const deadline = openDeadline({ remainingMs: DEADLINE_MS })
  try {
    if (kind === 'write') {
      const values = { id: randomUUID(), email: `${randomUUID()}@example.com`, name: 'Bench', externalId: null }
      await service.execute('bench.create', ({ models }) => usersOf(models).create(values), { deadline })
    } else {
      const found = await service.execute('bench.find', ({ models }) => usersOf(models).findByPk(SEED), { mode: 'read', deadline })
      if (found === null) throw new Error('no user was found')
    }
  } finally {
    deadline.clear()
  }
}
