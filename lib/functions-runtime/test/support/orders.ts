import {
  DataTypes,
  type InferAttributes,
  type InferCreationAttributes,
  type CreationOptional,
  type Model,
  type ModelStatic,
  type Sequelize,
} from 'sequelize'
import * as z from 'zod/mini'
import { createDefineApi } from '../../src/api/define-api.ts'
import { createRowOnce } from '../../src/api/create-row-once.ts'
import { findPage } from '../../src/api/find-page.ts'
import { pageReply } from '../../src/api/page-reply.ts'
import { pageQuery, pageSchema } from '../../src/content/page.ts'
import { prepareDatabase } from '../../src/database/connect.ts'
import type { ApplicationModels, DefineModels } from '../../src/database/models.ts'
import { NotFoundError } from '../../src/edge/http-errors.ts'
import { json } from '../../src/edge/reply.ts'
import { optionalText } from '../../src/settings/schemas.ts'
import { defineSettings } from '../../src/settings/settings.ts'

/** An application of one table and one API, as a user of the package writes it. */

export interface Order extends Model<InferAttributes<Order>, InferCreationAttributes<Order>> {
  id: string
  product: string
  number: number
  requestHash: CreationOptional<Buffer | null>
  createdAt: CreationOptional<Date>
}

export const ORDERS = `CREATE TABLE orders (
  id uuid PRIMARY KEY, product text NOT NULL UNIQUE, number int NOT NULL, request_hash bytea,
  created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL)`

export function defineOrder(sequelize: Sequelize, schema: string): ModelStatic<Order> {
  return sequelize.define<Order>(
    'Order',
    {
      id: { type: DataTypes.UUID, primaryKey: true },
      product: { type: DataTypes.TEXT, allowNull: false },
      number: { type: DataTypes.INTEGER, allowNull: false },
      requestHash: { type: DataTypes.BLOB },
      createdAt: { type: DataTypes.DATE },
    },
    { schema, tableName: 'orders', underscored: true },
  )
}

export const loadOrderModels = async () =>
  ((sequelize: Sequelize, schema: string) => ({ Order: defineOrder(sequelize, schema) })) as unknown as DefineModels
export const orderOf = (models: ApplicationModels) => (models as unknown as { readonly Order: ModelStatic<Order> }).Order

export const defineApi = createDefineApi({
  prepareDatabase: (settings, options) => prepareDatabase(settings, { ...options, models: loadOrderModels }),
  license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
})

const wordSettings = defineSettings({ GREETING: optionalText() }, ({ GREETING: text }) => ({ greeting: text ?? 'Hello' }))
const newOrderSchema = z.strictObject({
  product: z.string().check(z.minLength(1)),
  number: z._default(z.int().check(z.minimum(1), z.maximum(99)), 1),
})
const orderSchema = z.strictObject({ id: z.uuid(), product: z.string(), number: z.int() })
const showOrder = ({ id, product, number }: Order) => ({ id, product, number })

/** What the requests have ended. */
export const ended: string[] = []

export const main = defineApi({
  name: 'api/orders',
  title: 'Orders',
  settings: { words: wordSettings },
  setup: ({ words }) => ({ greet: (name: string) => `${words.greeting}, ${name}` }),
  forRequest(_shared, { requestId }) {
    const notes: string[] = []
    return { tools: { note: (text: string) => notes.push(text) }, end: async () => void ended.push(...notes.map(note => `${requestId} ${note}`)) }
  },
  schemas: { Order: orderSchema },
  operations: operation => [
    operation(
      'POST /',
      {
        operationId: 'createOrder',
        summary: 'Creates an order',
        scope: 'orders:write',
        body: newOrderSchema,
        idempotencyKey: 'required',
        conflicts: 'The product is ordered already, or another request with this key is still being worked on.',
        answer: { status: 201, description: 'The order.', schema: orderSchema, headers: ['location'] },
      },
      async ({ body, claim, database, locate, note }) => {
        const order = await createRowOnce('order.create', database, { claim, model: orderOf, values: body })
        note(order.product)
        return json(201, showOrder(order), { location: locate(order.id) })
      },
    ),
    operation(
      'GET /',
      {
        operationId: 'listOrders',
        summary: 'Lists orders, newest first',
        scope: 'orders:read',
        query: z.strictObject({ ...pageQuery, product: z.optional(z.string()) }),
        answer: { status: 200, description: 'A page of orders.', schema: pageSchema(orderSchema), headers: ['link'] },
      },
      async ({ query, search, database }) => {
        const filters = { product: query.product }
        return pageReply(
          await database.execute('order.list', ({ models }) => findPage(orderOf(models), { query, filters, view: showOrder }), { mode: 'read' }),
          search,
        )
      },
    ),
    operation(
      'GET /{orderId}',
      {
        operationId: 'readOrder',
        summary: 'Reads an order',
        answer: { status: 200, description: 'The order.', schema: orderSchema },
      },
      async ({ params, database }) => {
        const order = await database.execute('order.read', ({ models }) => orderOf(models).findByPk(params.orderId), { mode: 'read' })
        if (order === null) throw new NotFoundError('There is no such order.', 'order-unknown')
        return json(200, showOrder(order))
      },
    ),
    operation(
      'GET /greeting',
      {
        operationId: 'readGreeting',
        summary: 'Greets',
        open: true,
        query: z.strictObject({ name: z._default(z.string(), 'Ada') }),
        answer: { status: 200, description: 'A greeting.', schema: z.strictObject({ text: z.string(), configured: z.string(), caller: z.string() }) },
      },
      ({ query, greet, settings, caller }) => json(200, { text: greet(query.name), configured: settings.words.greeting, caller: String(caller) }),
    ),
  ],
})
