import type { Sequelize } from 'sequelize'
import { currentDeadline, runWithDeadline } from '../../../invocation/src/deadline-scope.ts'
import { openDeadline, type Deadline } from '../../../invocation/src/deadline.ts'
import { CodedError } from '../../../invocation/src/errors.ts'
import { sourceOf } from '../pool/sources.ts'
import { applyMigrations, type MigrateResult } from './apply-migrations.ts'
import type { Migration } from './migration.ts'
import { refusalOfSchemaName } from './schema-name.ts'

export type { MigrateResult } from './apply-migrations.ts'

export interface MigrateOptions {
  /** An instance of ResilientSequelize; it has to reach the server itself, not a pooler. */
  sequelize: Sequelize
  /** Every migration of the application, oldest first. */
  migrations: readonly Migration[]
  /**
   * The schema that the migrations work in, created if it does not exist; their search path is this schema alone. By default the
   * first one of the search path, which stays as it is.
   */
  schema?: string
  /** By default the running invocation's, or 10 minutes. */
  deadline?: Deadline
  /** Whether to apply migrations that the deployed code cannot live with. */
  allowBreaking?: boolean
}

const LONGEST_MS = 600_000

/**
 * Applies pending migrations in order, on a connection of its own; returns what it applied. Two at once are harmless.
 * @throws CodedError `migration-failed`, `migration-breaking`, `names-taken`, `schema-missing`, `schema-closed`, `pooler-refused` or `server-read-only`;
 * `invalid-options` for a name that no schema can have; TypeError for an instance of stock Sequelize;
 * UnsupportedServerError; DatabaseUnavailableError;
 * DeadlineExceededError when another migration did not end in time.
 */
export async function migrate({
  sequelize,
  migrations,
  schema,
  deadline: given = currentDeadline(),
  allowBreaking = false,
}: MigrateOptions): Promise<MigrateResult> {
  // Otherwise it counted as a connection that fails.
  const source = sourceOf(sequelize)
  const refusal = schema === undefined ? undefined : refusalOfSchemaName(schema)
  if (refusal !== undefined) throw new CodedError(`migrate: \`schema\` ${refusal}.`, { code: 'invalid-options' })
  const deadline = given ?? openDeadline({ remainingMs: LONGEST_MS, reserveMs: 0 })
  try {
    return await runWithDeadline(deadline, () =>
      applyMigrations({ connect: () => source.connect({ withOptions: true }), deadline, migrations, schema, allowBreaking }),
    )
  } finally {
    if (given === undefined) deadline.clear()
  }
}
