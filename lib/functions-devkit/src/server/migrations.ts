import { inspect } from 'node:util'
import { application } from '../application.ts'
import { applyMigrations } from '../../../functions-runtime/src/database/migrate.ts'
import { migrationSettings } from '../../../functions-runtime/src/database/settings.ts'
import { readSettings, type Environment } from '../../../functions-runtime/src/settings/settings.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { type CallableFunction } from './served-function.ts'

/** The function that applies migrations on the platform. */
export const MIGRATE = 'ops/migrate'
// As long as `npm run migrate -- up` takes at most.
const TIME_MS = 10 * 60_000

/**
 * Brings the database up to date by calling the function that does it on the platform too, and returns its answer. Without such a
 * function, applies the migrations itself, to the database of `environment`.
 * @throws Error with the answer when it fails.
 */
export async function migrate(
  functions: { byQualifiedName(name: string): CallableFunction | undefined },
  environment: Environment,
): Promise<Readonly<Record<string, unknown>>> {
  const called = functions.byQualifiedName(MIGRATE)
  if (called === undefined) return applyOwn(environment)
  const ended = await called.call({ allowBreaking: true }).ended
  switch (ended.end) {
    case 'thrown':
      throw new Error(`The migrations failed: ${MIGRATE} threw ${inspect(ended.error)}`, { cause: ended.error })
    case 'discarded':
    case 'refused':
      throw new Error(`The migrations failed: ${MIGRATE} ${ended.reason}`)
    case 'result': {
      const answer = (ended.result ?? {}) as Record<string, unknown>
      if ('error' in answer) throw new Error(`The migrations failed: ${JSON.stringify(answer.error)}`)
      return answer
    }
    default:
      return ended satisfies never
  }
}

async function applyOwn(environment: Environment): Promise<Readonly<Record<string, unknown>>> {
  const deadline = openDeadline({ remainingMs: TIME_MS, reserveMs: 0 })
  try {
    const { database: settings } = readSettings({ database: migrationSettings }, environment)
    return { ...(await applyMigrations({ settings, deadline, migrations: application.migrations, allowBreaking: true })) }
  } finally {
    deadline.clear()
  }
}
