import type { Model, ModelStatic } from 'sequelize'
import { expect, it } from 'vitest'
import { databaseSettings } from '../lib/functions-runtime/src/database/settings.ts'
import { loadModels } from '../lib/app/database.ts'
import { openDatabase } from '../lib/functions-runtime/src/database/connect.ts'
import { createLogger } from '../lib/functions-runtime/src/telemetry/logger.ts'
import { withDatabase } from '../lib/functions-devkit/test/support/database.ts'
import { environmentFor } from '../lib/functions-devkit/test/support/functions.ts'

// Statements alone write and read the others.
const TABLES_WITHOUT_MODEL = ['schema_migrations', 'operation_counters', 'health_checks', 'alerts_raised']

interface Column {
  table: string
  column: string
  type: string
  nullable: boolean
}

it('has a model for every table, and models whose columns, types and nullability are those of the migrated schema', async () => {
  await withDatabase(async database => {
    const settings = databaseSettings.parse(environmentFor(database)).value
    if (!settings) throw new Error('the settings of the test are wrong')
    const { manager } = openDatabase({
      settings,
      applicationName: 'test',
      logger: createLogger({ name: 'test', level: 'silent' }),
      models: loadModels,
    })
    const { sequelize } = await manager.currentGeneration()
    const modelled: Column[] = (Object.values(sequelize.models) as ModelStatic<Model>[]).flatMap(model =>
      Object.entries(model.getAttributes()).map(([name, attribute]) => ({
        table: model.options.tableName ?? '',
        column: attribute.field ?? name,
        type: databaseType((attribute.type as unknown as { toSql(): string }).toSql()),
        nullable: attribute.allowNull ?? attribute.primaryKey !== true,
      })),
    )
    const migrated = await database.query<Column & { type: string }>(
      `
      SELECT c.relname AS table, a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS nullable
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
      WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
        AND c.relname <> ALL ($1)`,
      [TABLES_WITHOUT_MODEL],
    )
    const sorted = (columns: Column[]) => columns.map(column => JSON.stringify([column.table, column.column, column.type, column.nullable])).sort()
    expect(sorted(modelled)).toEqual(sorted(migrated))
    await manager.gracefulShutdown()
  })
})

function databaseType(sequelizeType: string): string {
  return sequelizeType
    .toLowerCase()
    .replace(/^decimal/, 'numeric')
    .replace(/^char\(/, 'character(')
}
