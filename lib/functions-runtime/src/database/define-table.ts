import type * as Sequelize from 'sequelize'
import type { Attributes, DataTypes, Model, ModelAttributes, ModelOptions, ModelStatic } from 'sequelize'
import type { ApplicationModels } from './models.ts'
import { rulesOf, type Retention, type RetentionRule } from './retention.ts'

/** What a definition uses of Sequelize's package, so that its file imports types alone. */
export type SequelizeTools = Pick<typeof Sequelize, 'Op' | 'Deferrable' | 'fn' | 'col' | 'cast' | 'literal' | 'where' | 'and' | 'or' | 'json'>

/** Options of a model. The schema and the table's name come from elsewhere. */
export type TableOptions<Row extends Model> = Omit<ModelOptions<Row>, 'schema' | 'tableName' | 'modelName'>

/** All that the application says about one of its tables. */
export interface TableDefinition<Row extends Model, Name extends string, ModelName extends string> {
  /** In SQL, without a schema. */
  readonly name: Name
  /** What `models` of a unit of work calls it. */
  readonly model: ModelName
  readonly columns: (types: typeof DataTypes, tools: SequelizeTools) => ModelAttributes<Row, Attributes<Row>>
  /** `underscored: true` unless it is set. */
  readonly options?: TableOptions<Row> | ((tools: SequelizeTools) => TableOptions<Row>)
  /** Makes the associations of this model; called once, when every model is defined: `(order, { Item }) => order.hasMany(Item)`. */
  readonly associate?: (model: ModelStatic<Row>, models: ApplicationModels) => void
  /** How long its rows are kept. */
  readonly keep: Retention
}

/** A table of the application, as `defineTable` returns it. */
export interface DefinedTable<Row extends Model = Model, Name extends string = string, ModelName extends string = string> {
  readonly name: Name
  readonly model: ModelName
  readonly keep: readonly RetentionRule[]
  /** A type and no value. */
  readonly row?: Row
  /** Defines the model on a Sequelize instance, with its table in `schema`. */
  readonly define: (sequelize: Sequelize.Sequelize, schema: string) => ModelStatic<Model>
  /** Makes the associations of the model that `define` returned. */
  readonly associate: (model: ModelStatic<Model>, models: Readonly<Record<string, ModelStatic<Model>>>) => void
}

/**
 * Returns what declares a table whose rows are of the type `Row`: `defineTable<OrderRow>()({ name: 'orders', … })`. There are two
 * calls, because TypeScript infers all type arguments of a call or none: `Row` is written, and the names are inferred.
 */
export function defineTable<Row extends Model>() {
  return <const Name extends string, const ModelName extends string>(
    definition: TableDefinition<Row, Name, ModelName>,
  ): DefinedTable<Row, Name, ModelName> => {
    const { name, model, columns, options = {}, associate, keep } = definition
    if (name === '' || name.includes('.'))
      throw new TypeError(`A table is named ${JSON.stringify(name)}: write its name alone, since DB_SCHEMA is its schema.`)
    if (model === '') throw new TypeError(`The table ${name} has no model name: write one, such as model: 'Order'.`)
    return {
      name,
      model,
      keep: rulesOf(name, keep),
      define(sequelize, schema) {
        // The instance has the package that it is of, and importing it here would load it with the function.
        const tools = sequelize.constructor as unknown as SequelizeTools & { readonly DataTypes: typeof DataTypes }
        const own = typeof options === 'function' ? options(tools) : options
        return sequelize.define<Row>(model, columns(tools.DataTypes, tools), { underscored: true, ...own, schema, tableName: name })
      },
      // These are the models that were defined from this table and the others.
      associate: (own, models) => associate?.(own as ModelStatic<Row>, models as unknown as ApplicationModels),
    }
  }
}
