import { randomUUID } from 'node:crypto'
import { DataTypes, literal, Op, Sequelize, type Model, type ModelStatic } from 'sequelize'
import { describe, expect, it } from 'vitest'
import { findPage, type PageToFind } from '../../src/api/find-page.ts'
import { textOfConditions } from '../../src/api/conditions.ts'
import { checksumOf } from '../../src/content/page.ts'
import { withService, type ServiceUnderTest } from '../../../functions-devkit/test/support/service.ts'
import { loadOrderModels, orderOf, ORDERS, type Order } from '../support/orders.ts'

const TIMES = 9
/** What a cursor of a list without conditions is bound to. */
const noConditions = textOfConditions({})

/** Nine orders: three of each microsecond, all within one millisecond. */
const withOrders = (work: (subject: ServiceUnderTest) => Promise<void>) =>
  withService(
    async subject => {
      await subject.database.query(ORDERS)
      await subject.database.query(
        `INSERT INTO orders (id, product, number, created_at, updated_at)
         SELECT gen_random_uuid(), 'p' || n, n % 2, timestamptz '2026-11-30 12:00:00.000100Z' + (n / 3) * interval '1 microsecond', now()
         FROM generate_series(0, ${TIMES - 1}) AS n`,
      )
      await work(subject)
    },
    { models: loadOrderModels },
  )
type Asked = Omit<PageToFind<Order, string>, 'view'>
type Conditions = NonNullable<Asked['where']>
const page = ({ service }: ServiceUnderTest, asked: Asked) =>
  service.execute('order.list', ({ models }) => findPage(orderOf(models), { ...asked, view: ({ product }) => product }), { mode: 'read' })
async function readAll(subject: ServiceUnderTest, { query, ...asked }: Asked, between = async () => {}): Promise<string[]> {
  const products: string[] = []
  let cursor: string | null | undefined
  while (cursor !== null) {
    const { items, next } = await page(subject, { ...asked, query: { ...query, cursor } })
    products.push(...items)
    cursor = next
    await between()
  }
  return products
}
const inOrder = async ({ database }: ServiceUnderTest, order: string, where = 'true') =>
  (await database.query<{ product: string }>(`SELECT product FROM orders WHERE ${where} ORDER BY ${order}`)).map(({ product }) => product)

describe('pages of a model', () => {
  it.each([1, 2, 4, TIMES, 100])('hold every row once, newest first, %i at a time', async limit => {
    await withOrders(async subject => {
      expect(await readAll(subject, { query: { limit } })).toEqual(await inOrder(subject, 'created_at DESC, id DESC'))
      expect(await readAll(subject, { query: { limit }, by: 'id' })).toEqual(await inOrder(subject, 'id DESC'))
    })
  })

  it('hold the same rows while others are created', async () => {
    await withOrders(async subject => {
      const before = await inOrder(subject, 'created_at DESC, id DESC')
      let added = 0
      const add = async () => {
        added += 1
        const values = `gen_random_uuid(), 'new${added}', 1, now() + interval '1 day', now()`
        await subject.database.query(`INSERT INTO orders (id, product, number, created_at, updated_at) VALUES (${values})`)
      }
      expect(await readAll(subject, { query: { limit: 2 } }, add)).toEqual(before)
      expect(added).toBeGreaterThan(3)
    })
  })

  it('hold what filters and conditions let through', async () => {
    await withOrders(async subject => {
      const asked = { query: { limit: 2 }, filters: { number: 1, product: undefined }, where: { product: { [Op.ne]: 'p1' } } }
      expect(await readAll(subject, asked)).toEqual(await inOrder(subject, 'created_at DESC, id DESC', "number = 1 AND product <> 'p1'"))
    })
  })

  it('refuse a cursor of another list', async () => {
    await withOrders(async subject => {
      const { next } = await page(subject, { query: { limit: 2 }, filters: { number: 1 } })
      const cursor = next ?? ''
      expect(cursor).not.toBe('')
      const refused = { status: 400, code: 'cursor-invalid' }
      await expect(page(subject, { query: { limit: 2, cursor } })).rejects.toMatchObject(refused)
      await expect(page(subject, { query: { limit: 2, cursor }, filters: { number: 0 } })).rejects.toMatchObject(refused)
      await expect(page(subject, { query: { limit: 2, cursor }, filters: { number: 1 }, by: 'id' })).rejects.toMatchObject(refused)
      await expect(page(subject, { query: { limit: 2, cursor }, filters: { number: 1 }, where: { product: 'p1' } })).rejects.toMatchObject(refused)
      expect((await page(subject, { query: { limit: 2, cursor }, filters: { number: 1 } })).items).toHaveLength(2)
    })
  })

  it.each(['', 'x', '1.2.3', '..', `1.${'a'.repeat(5_000)}.AAAAAAAAAAA`])('refuse %j as a cursor', async cursor => {
    await withOrders(async subject => {
      await expect(page(subject, { query: { limit: 2, cursor } })).rejects.toMatchObject({ status: 400, code: 'cursor-invalid' })
    })
  })

  it('refuse a forged place that the database could not read', async () => {
    await withOrders(async subject => {
      for (const id of ['no uuid', '\0', "' OR 1=1"]) {
        const place = `1.${Buffer.from(id).toString('base64url')}`
        const cursor = `${place}.${checksumOf(place, ['orders', 'true', noConditions, noConditions])}`
        await expect(page(subject, { query: { limit: 2, cursor } })).rejects.toMatchObject({ status: 400, code: 'cursor-invalid' })
      }
    })
  })

  it.each(['9223371331200000001', '-210866803200000001', '-9999999999999999999'])('refuse the forged time %s', async at => {
    await withOrders(async subject => {
      const place = `${at}.${Buffer.from(randomUUID()).toString('base64url')}`
      const cursor = `${place}.${checksumOf(place, ['orders', 'true', noConditions, noConditions])}`
      await expect(page(subject, { query: { limit: 2, cursor } })).rejects.toMatchObject({ status: 400, code: 'cursor-invalid' })
    })
  })

  it.each(['9223371331200000000', '-210866803200000000'])('read the time %s', async at => {
    await withOrders(async subject => {
      const place = `${at}.${Buffer.from(randomUUID()).toString('base64url')}`
      const cursor = `${place}.${checksumOf(place, ['orders', 'true', noConditions, noConditions])}`
      expect((await page(subject, { query: { limit: 100, cursor } })).items).toHaveLength(at.startsWith('-') ? 0 : TIMES)
    })
  })

  it.each(['1969-12-31 23:59:59.999997Z', '0044-03-15 12:00:00.000001Z BC', '9999-12-31 23:59:59.999990Z'])(
    'hold every row once around %s',
    async time => {
      await withOrders(async subject => {
        await subject.database.query(
          `UPDATE orders SET created_at = timestamptz '${time}' + (substr(product, 2)::int / 3) * interval '1 microsecond'`,
        )
        expect(await readAll(subject, { query: { limit: 2 } })).toEqual(await inOrder(subject, 'created_at DESC, id DESC'))
      })
    },
  )

  it.each([1, 2, 4])('hold rows without a time once, %i at a time', async limit => {
    await withOrders(async subject => {
      await subject.database.query('ALTER TABLE orders ALTER created_at DROP NOT NULL')
      await subject.database.query('UPDATE orders SET created_at = NULL WHERE number = 1')
      expect(await readAll(subject, { query: { limit } })).toEqual(await inOrder(subject, 'created_at DESC, id DESC'))
    })
  })

  it.each<[string, Conditions, Conditions]>([
    ['an operator', { number: { [Op.gte]: 0 } }, { number: { [Op.gt]: -1 } }],
    ['the value of an operator', { number: { [Op.gte]: 0 } }, { number: { [Op.gte]: -1 } }],
    ['a list', { product: ['p1', 'p2', 'p3', 'p4'] }, { product: ['p1', 'p2', 'p3', 'p5'] }],
    ['conditions within conditions', { [Op.or]: [{ number: 0 }, { number: 1 }] }, { [Op.or]: [{ number: 1 }, { number: 0 }, { number: 2 }] }],
    ['a literal', literal('number >= 0'), literal('number > -1')],
    ['text for a number', { product: { [Op.ne]: '1' } }, { product: { [Op.ne]: 1 as never } }],
  ])('refuse a cursor of other conditions: %s', async (_, where, others) => {
    await withOrders(async subject => {
      const { next } = await page(subject, { query: { limit: 2 }, where })
      const query = { limit: 2, cursor: next ?? '' }
      await expect(page(subject, { query, where: others })).rejects.toMatchObject({ status: 400, code: 'cursor-invalid' })
      expect((await page(subject, { query, where })).items).toHaveLength(2)
    })
  })

  it('take a cursor after the clock moved a condition', async () => {
    await withOrders(async subject => {
      const before = (at: number) => ({ number: { [Op.gte]: 0 }, createdAt: { [Op.lt]: new Date(at) } })
      const { next } = await page(subject, { query: { limit: 2 }, where: before(Date.parse('2030-01-01')) })
      const moved = { createdAt: before(Date.parse('2030-01-02')).createdAt, number: { [Op.gte]: 0 } }
      expect((await page(subject, { query: { limit: 2, cursor: next ?? '' }, where: moved })).items).toHaveLength(2)
    })
  })
})

it.each([
  [{ id: { type: DataTypes.JSONB, primaryKey: true } }],
  [{ one: { type: DataTypes.UUID, primaryKey: true }, other: { type: DataTypes.UUID, primaryKey: true } }],
])('a model is refused for a primary key of unknown order: %#', async attributes => {
  const sequelize = new Sequelize({ dialect: 'postgres', logging: false })
  const model = sequelize.define('Odd', attributes as never)
  await expect(findPage(model, { query: { limit: 1 }, view: () => 1 })).rejects.toThrow(/Odd needs one primary key, of one of the types UUID/)
  await sequelize.close()
})

it('a model without a time of creation is listed by a number', async () => {
  await withService(async ({ database, service }) => {
    await database.query('CREATE TABLE counts (id bigint PRIMARY KEY); INSERT INTO counts SELECT generate_series(1, 30)')
    const list = (cursor?: string) =>
      service.execute('count.list', ({ sequelize }) => {
        const model = sequelize.define('Count', { id: { type: DataTypes.BIGINT, primaryKey: true } }, { tableName: 'counts', timestamps: false })
        return findPage(model as ModelStatic<Model<{ id: string }>>, { query: { limit: 2, cursor }, view: row => row.get('id') })
      })
    const first = await list()
    expect(first.items).toEqual(['30', '29'])
    expect((await list(first.next ?? '')).items).toEqual(['28', '27'])
  })
})
