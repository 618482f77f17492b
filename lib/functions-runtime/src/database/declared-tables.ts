import type { Model, ModelStatic, Sequelize } from 'sequelize'
import type { DefinedTable } from './define-table.ts'
import { tablesNamed, type Statement } from './sql.ts'

/** Tables that `defineTable` made, as `lib/app/tables/index.ts` lists them. */
export type DeclaredTables = Readonly<Record<string, DefinedTable>>

/** The models of tables, by model name: what an application declares to be its `ApplicationModels`. */
export type ModelsOf<Tables extends DeclaredTables> = {
  [Key in keyof Tables as Tables[Key]['model']]: ModelStatic<NonNullable<Tables[Key]['row']>>
}

/** Tables as parts of statements, by their name in SQL. */
export type StatementTables<Tables extends DeclaredTables> = { readonly [Key in keyof Tables as Tables[Key]['name']]: Statement }

/**
 * Returns the function that defines the models of all tables, and then their associations.
 * @throws TypeError for two tables with one name, or two models with one name.
 */
export function modelsOf<Tables extends DeclaredTables>(tables: Tables): (sequelize: Sequelize, schema: string) => ModelsOf<Tables> {
  refuseDoubles(tables)
  return (sequelize, schema) => {
    const defined = Object.values(tables).map(table => ({ table, model: table.define(sequelize, schema) }))
    const models: Record<string, ModelStatic<Model>> = Object.fromEntries(defined.map(({ table, model }) => [table.model, model]))
    for (const { table, model } of defined) table.associate(model, models)
    return models as ModelsOf<Tables>
  }
}

/**
 * Returns the tables as parts of statements: `sql\`SELECT … FROM ${tables.orders}\``.
 * @throws TypeError for two tables with one name, or two models with one name.
 */
export function statementTables<Tables extends DeclaredTables>(tables: Tables): StatementTables<Tables> {
  refuseDoubles(tables)
  return tablesNamed(...Object.values(tables).map(({ name }) => name)) as StatementTables<Tables>
}

function refuseDoubles(tables: DeclaredTables): void {
  for (const kind of ['name', 'model'] as const) {
    const holders = new Map<string, string>()
    for (const [key, table] of Object.entries(tables)) {
      const [value, holder] = [table[kind], holders.get(table[kind])]
      if (holder !== undefined)
        throw new TypeError(`${holder} and ${key} are two tables with the ${kind} ${JSON.stringify(value)}: change one of them.`)
      holders.set(value, key)
    }
  }
}
