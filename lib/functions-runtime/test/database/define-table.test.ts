import { build } from 'esbuild'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type {
  BelongsToGetAssociationMixin,
  CreationOptional,
  HasManyGetAssociationsMixin,
  InferAttributes,
  InferCreationAttributes,
  Model,
  ModelStatic,
  NonAttribute,
} from 'sequelize'
import { describe, expect, it } from 'vitest'
import { withDatabase } from '../../../functions-devkit/test/support/database.ts'
import { environmentFor } from '../../../functions-devkit/test/support/functions.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import type { Migration } from '../../../resilient-sequelize/src/migrate/migration.ts'
import { openDatabase } from '../../src/database/connect.ts'
import { modelsOf, statementTables, type ModelsOf } from '../../src/database/declared-tables.ts'
import { defineTable } from '../../src/database/define-table.ts'
import { applyMigrations } from '../../src/database/migrate.ts'
import type { DefineModels } from '../../src/database/models.ts'
import type { DatabaseService, Work } from '../../src/database/service.ts'
import { databaseSettings } from '../../src/database/settings.ts'
import { sql } from '../../src/database/sql.ts'
import { createLogger } from '../../src/telemetry/logger.ts'

interface OrderRow extends Model<InferAttributes<OrderRow>, InferCreationAttributes<OrderRow>> {
  id: CreationOptional<string>
  customerName: string
  cancelledAt: CreationOptional<Date | null>
  items?: NonAttribute<ItemRow[]>
  getItems: HasManyGetAssociationsMixin<ItemRow>
}

interface ItemRow extends Model<InferAttributes<ItemRow>, InferCreationAttributes<ItemRow>> {
  id: CreationOptional<number>
  orderId: string
  title: string
  getOrder: BelongsToGetAssociationMixin<OrderRow>
}

const associated: string[] = []
// The models of an application have a type of their own, which is that of the sample in this repository.
const shop = (models: unknown) => models as ShopModels

const orders = defineTable<OrderRow>()({
  name: 'orders',
  model: 'Order',
  columns: ({ UUID, TEXT, DATE }, { literal }) => ({
    id: { type: UUID, primaryKey: true, defaultValue: literal('gen_random_uuid()') },
    customerName: { type: TEXT, allowNull: false },
    cancelledAt: { type: DATE, allowNull: true },
  }),
  options: ({ Op }) => ({ timestamps: false, scopes: { cancelled: { where: { cancelledAt: { [Op.ne]: null } } } } }),
  associate(order, models) {
    associated.push(`Order with ${Object.keys(models).sort().join(', ')}`)
    order.hasMany(shop(models).Item, { foreignKey: 'orderId', as: 'items' })
  },
  keep: 'forever',
})

const orderItems = defineTable<ItemRow>()({
  name: 'order_items',
  model: 'Item',
  columns: ({ INTEGER, UUID, TEXT }) => ({
    id: { type: INTEGER, primaryKey: true, autoIncrement: true },
    orderId: { type: UUID, allowNull: false },
    title: { type: TEXT, allowNull: false },
  }),
  options: { timestamps: false },
  associate: (item, models) => item.belongsTo(shop(models).Order, { foreignKey: 'orderId' }),
  keep: { since: 'created_at', keepDays: 90 },
})

const createShop: Migration = {
  name: '2027-01-01-0930-shop',
  async up({ query }) {
    await query('CREATE TABLE orders (id uuid PRIMARY KEY, customer_name text NOT NULL, cancelled_at timestamptz)')
    await query('CREATE TABLE order_items (id serial PRIMARY KEY, order_id uuid NOT NULL REFERENCES orders, title text NOT NULL)')
  },
}

const declaredTables = { orderItems, orders }
type ShopModels = ModelsOf<typeof declaredTables>
const tables = statementTables(declaredTables)

/** Runs work on a database in whose schema `shop` the tables are. */
async function withShop(work: (service: DatabaseService, models: (work: Work) => ShopModels) => Promise<void>): Promise<void> {
  await withDatabase(
    async database => {
      const settings = databaseSettings.parse({ ...environmentFor(database), DB_SCHEMA: 'shop' }).value
      if (settings === undefined) throw new Error('the settings of the test are wrong')
      const deadline = openDeadline({ remainingMs: 20_000, reserveMs: 0 })
      await applyMigrations({ settings, deadline, migrations: [createShop] }).finally(() => deadline.clear())
      const { manager, service } = openDatabase({
        settings,
        applicationName: 'subject',
        models: async () => modelsOf(declaredTables) as unknown as DefineModels,
        logger: createLogger({ name: 'test', level: 'silent' }),
      })
      await work(service, ({ models }) => shop(models)).finally(() => manager.gracefulShutdown())
    },
    { empty: true },
  )
}

describe('a defined table', () => {
  it('has a model with its columns, options and schema', async () => {
    await withShop(async (service, modelsIn) => {
      await service.execute('create', async work => {
        const { Order } = modelsIn(work)
        await Order.create({ customerName: 'Ada' })
        await Order.create({ customerName: 'Bob', cancelledAt: new Date('2027-01-02') })
      })
      const cancelled = await service.execute('read', async work =>
        (await modelsIn(work).Order.scope('cancelled').findAll()).map(row => row.customerName),
      )
      expect(cancelled).toEqual(['Bob'])
      const rows = await service.execute('query', ({ query }) =>
        query(sql`SELECT customer_name, id::text ~ '^[0-9a-f-]{36}$' AS "hasId" FROM ${tables.orders} ORDER BY 1`),
      )
      expect(rows).toEqual([
        { customer_name: 'Ada', hasId: true },
        { customer_name: 'Bob', hasId: true },
      ])
      const { Order } = await service.execute('models', async work => modelsIn(work))
      expect(Order.getTableName()).toMatchObject({ schema: 'shop', tableName: 'orders' })
    })
  })

  it('has its associations, in both directions', async () => {
    await withShop(async (service, modelsIn) => {
      const id = await service.execute('create', async work => {
        const { Order, Item } = modelsIn(work)
        const order = await Order.create({ id: crypto.randomUUID(), customerName: 'Ada' })
        await Item.bulkCreate(['cup', 'pot'].map(title => ({ orderId: order.id, title })))
        return order.id
      })
      await service.execute('read', async work => {
        const { Order, Item } = modelsIn(work)
        const order = await Order.findByPk(id, { include: 'items', order: [['items', 'title', 'ASC']] })
        expect(order?.items?.map(({ title }) => title)).toEqual(['cup', 'pot'])
        expect(await order?.getItems({ where: { title: 'pot' } })).toMatchObject([{ title: 'pot' }])
        const item = await Item.findOne({ where: { title: 'cup' } })
        expect((await item?.getOrder())?.customerName).toBe('Ada')
      })
    })
  })

  it('is associated once, when all models are defined', async () => {
    associated.length = 0
    await withShop(async service => {
      await service.execute('first', async () => undefined)
      await service.execute('second', async () => undefined)
    })
    expect(associated).toEqual(['Order with Item, Order'])
  })

  it('has a typed name in statements and a typed model', () => {
    expect(Object.keys(tables)).toEqual(['order_items', 'orders'])
    expect(tables.order_items('shop')).toBe('"shop"."order_items"')
    // @ts-expect-error -- no table has this name
    expect(tables.items).toBeUndefined()
    const typed: (models: ShopModels) => ModelStatic<OrderRow> = ({ Order }) => Order
    // @ts-expect-error -- the model of another table
    const wrong: (models: ShopModels) => ModelStatic<OrderRow> = ({ Item }) => Item
    expect([typed, wrong]).toHaveLength(2)
    // @ts-expect-error -- a row has no such column
    defineTable<OrderRow>()({ name: 'x', model: 'X', columns: ({ TEXT }) => ({ colour: { type: TEXT } }), keep: 'forever' })
  })

  it('leaves its migration out of bundles that do not migrate', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'table-'))
    try {
      const module = join(import.meta.dirname, '../../src/database/define-table.ts')
      writeFileSync(
        join(folder, 'orders.ts'),
        `import { defineTable } from '${module}'
export const orders = defineTable()({ name: 'the_orders', model: 'Order', columns: ({ TEXT }) => ({ a: { type: TEXT } }), keep: 'forever' })
export const createOrders = { name: 'the_migration', async up({ query }) { await query('CREATE TABLE orders ()') } }`,
      )
      writeFileSync(join(folder, 'main.ts'), "import { orders } from './orders.ts'\nexport const main = () => orders\n")
      const { outputFiles } = await build({ entryPoints: [join(folder, 'main.ts')], bundle: true, format: 'esm', platform: 'node', write: false })
      const [{ text = '' } = {}] = outputFiles
      expect(text).toContain('the_orders')
      expect(text).not.toMatch(/the_migration|from "sequelize"/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('tables', () => {
  const named = (name: string, model: string) => defineTable<OrderRow>()({ name, model, columns: () => ({}) as never, keep: 'forever' })

  it.each([
    ['name', { a: named('orders', 'Order'), b: named('orders', 'Other') }, 'a and b are two tables with the name "orders": change one of them.'],
    ['model', { a: named('orders', 'Order'), b: named('others', 'Order') }, 'a and b are two tables with the model "Order": change one of them.'],
  ])('with one %s are refused', (_what, doubles, message) => {
    expect(() => statementTables(doubles)).toThrow(message)
    expect(() => modelsOf(doubles)).toThrow(message)
  })

  it.each([
    ['no name', { name: '' }, 'A table is named ""'],
    ['a schema', { name: 'public.orders' }, 'A table is named "public.orders": write its name alone, since DB_SCHEMA is its schema.'],
    ['no model name', { model: '' }, 'The table orders has no model name'],
    ['two contrary rules', { keep: ['forever', { since: 'at', keepDays: 1 }] }, 'is kept forever, and one of its rules deletes every old row'],
    ['a rule for some rows', { keep: { since: 'at', keepDays: 1, only: 'done' } }, "has no rule for all of its rows: add 'forever' to keep"],
    ['a rule that only clears', { keep: { since: 'at', keepDays: 1, clear: ['body'] } }, 'has no rule for all of its rows'],
    ['no rule', { keep: [] }, 'has no rule for all of its rows'],
    ['rules beside its package', { keep: ['by-its-package', 'forever'] }, 'is kept by its package and by other rules'],
    ['no days', { keep: { since: 'at', keepDays: 0 } }, 'The table orders keeps rows for 0 days: write a number above 0 into keepDays.'],
    ['no days by default', { keep: { since: 'at', keepDays: { setting: 'DAYS', fallback: Number.NaN } } }, 'keeps rows for NaN days'],
  ] as const)('with %s are refused', (_what, change, message) => {
    const definition = { name: 'orders', model: 'Order', columns: () => ({}) as never, keep: 'forever' } as const
    expect(() => defineTable<OrderRow>()({ ...definition, ...change })).toThrow(message)
  })
})
