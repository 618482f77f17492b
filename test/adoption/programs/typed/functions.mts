// What functions in strict TypeScript write that have models of their own: it has to compile as it stands, and to run.
import assert from 'node:assert/strict'
import { DataTypes, Model, type CreationOptional, type InferAttributes, type InferCreationAttributes, type Sequelize } from 'sequelize'
import {
  createLogger,
  databaseSettings,
  defineTable,
  modelsOf,
  prepareDatabase,
  readSettings,
  sql,
  statementTables,
  type ModelsOf,
  type Work,
} from 'functions-runtime'

class Order extends Model<InferAttributes<Order>, InferCreationAttributes<Order>> {
  declare id: CreationOptional<number>
  declare reference: string
}

interface FolderRow extends Model<InferAttributes<FolderRow>, InferCreationAttributes<FolderRow>> {
  id: number
  parentId: number | null
}

const folders = defineTable<FolderRow>()({
  name: 'folders',
  model: 'Folder',
  columns: ({ INTEGER }) => ({ id: { type: INTEGER, primaryKey: true }, parentId: { type: INTEGER } }),
  options: { timestamps: false },
  associate: (folder, { Folder }) => folder.belongsTo(Folder, { as: 'parent', foreignKey: 'parentId' }),
  keep: 'forever',
})
const declaredTables = { folders }
const tables = statementTables(declaredTables)

declare module 'functions-runtime' {
  interface ApplicationModels extends ModelsOf<typeof declaredTables> {
    Order: typeof Order
  }
}

function defineModels(sequelize: Sequelize, schema: string) {
  const id = { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true }
  return {
    ...modelsOf(declaredTables)(sequelize, schema),
    Order: Order.init({ id, reference: DataTypes.STRING }, { sequelize, schema, modelName: 'order', timestamps: false }),
  }
}

/** A helper with the work of a function. */
async function referencesOf({ models }: Work): Promise<string[]> {
  // @ts-expect-error: the application declares no such model
  assert.equal(models.Payment, undefined)
  // @ts-expect-error: the model has no such attribute
  void ((order: InstanceType<typeof models.Order>) => order.amount)
  return (await models.Order.findAll()).map(({ reference }) => reference)
}

const { database } = readSettings({ database: databaseSettings }, { DB_CONNECTION_URL: `${process.env['DATABASE_URL'] ?? ''}?sslmode=disable` })
const logger = createLogger({ name: 'typed', level: 'silent' })
const options = { name: 'typed', logger, timeLimitMs: 10_000 }
const { manager, service } = prepareDatabase(database, { ...options, models: async () => defineModels })
// @ts-expect-error: these are not the models that the application declares
prepareDatabase(database, { ...options, models: async () => () => ({}) })

await service.execute('prepare', ({ query }) => query('CREATE TABLE orders (id serial PRIMARY KEY, reference text)'))
const references = await service.execute('order', async work => {
  await work.models.Order.create({ reference: 'a' })
  return referencesOf(work)
})
assert.deepEqual(references, ['a'])

await service.execute('prepare folders', ({ query }) => query('CREATE TABLE folders (id int PRIMARY KEY, parent_id int)'))
await service.execute('nest', async ({ models: { Folder } }) =>
  Folder.bulkCreate([
    { id: 1, parentId: null },
    { id: 2, parentId: 1 },
  ]),
)
const nested = await service.execute('read', ({ query }) => query<{ id: number }>(sql`SELECT id FROM ${tables.folders} WHERE parent_id = 1`))
assert.deepEqual(nested, [{ id: 2 }])
await manager.gracefulShutdown()
console.log('all held')
