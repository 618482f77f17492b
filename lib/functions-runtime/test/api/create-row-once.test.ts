import type { ModelStatic } from 'sequelize'
import { describe, expect, it } from 'vitest'
import { createClaim, rowIdOf } from '../../src/api/claim.ts'
import { createRowOnce } from '../../src/api/create-row-once.ts'
import { NotFoundError } from '../../src/edge/http-errors.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { runWithDeadline } from '../../../invocation/src/deadline-scope.ts'
import { withService, type ServiceUnderTest } from '../../../functions-devkit/test/support/service.ts'
import { loadOrderModels, orderOf, ORDERS, type Order } from '../support/orders.ts'

const claimOf = (key: string, product: string, caller = 'shop') => createClaim({ caller, key, request: ['POST /', {}, { product }] })
const withOrders = (work: (subject: ServiceUnderTest) => Promise<void>) =>
  withService(
    async subject => {
      await subject.database.query(ORDERS)
      await work(subject)
    },
    { models: loadOrderModels },
  )
const createOrder = ({ service }: Pick<ServiceUnderTest, 'service'>, key: string | undefined, product: string, caller?: string) =>
  createRowOnce('order.create', service, {
    claim: key === undefined ? undefined : claimOf(key, product, caller),
    model: orderOf,
    values: { product, number: 1 },
  })

describe('a row that is created once', () => {
  it('is the same for the same key and content', async () => {
    await withOrders(async subject => {
      const first = await createOrder(subject, 'k1', 'tea')
      const second = await createOrder(subject, 'k1', 'tea')
      expect([second.id, second.createdAt]).toEqual([first.id, first.createdAt])
      expect(first.id).toBe(rowIdOf({ caller: 'shop', key: 'k1' }))
      expect(await subject.database.query('SELECT 1 FROM orders')).toHaveLength(1)
    })
  })

  it('is refused with other content under its key', async () => {
    await withOrders(async subject => {
      await createOrder(subject, 'k1', 'tea')
      await expect(createOrder(subject, 'k1', 'milk')).rejects.toMatchObject({ status: 422, code: 'idempotency-key-reused' })
    })
  })

  it('is not created when its check refuses, and its key stays free', async () => {
    await withOrders(async subject => {
      const refused = createRowOnce('order.create', subject.service, {
        claim: claimOf('k1', 'tea'),
        model: orderOf,
        values: { product: 'tea', number: 1 },
        check: async ({ query }) => {
          await query("INSERT INTO orders VALUES (gen_random_uuid(), 'milk', 1, NULL, now(), now())")
          throw new NotFoundError('There is no such shop.', 'shop-unknown')
        },
      })
      await expect(refused).rejects.toMatchObject({ status: 404, code: 'shop-unknown' })
      expect(await subject.database.query('SELECT 1 FROM orders')).toEqual([])
      expect(await createOrder(subject, 'k1', 'tea')).toMatchObject({ product: 'tea' })
    })
  })

  it('is given out again after its check stops holding', async () => {
    await withOrders(async subject => {
      const create = (product: string, check?: () => Promise<void>) =>
        createRowOnce('order.create', subject.service, {
          claim: claimOf('k1', product),
          model: orderOf,
          values: { product, number: 1 },
          ...(check && { check }),
        })
      const refuse = async () => Promise.reject(new NotFoundError('There is no such shop.', 'shop-unknown'))
      const created = await create('tea')
      expect((await create('tea', refuse)).id).toBe(created.id)
      await expect(create('milk', refuse)).rejects.toMatchObject({ status: 422, code: 'idempotency-key-reused' })
    })
  })

  it('looks for an earlier row only after an error', async () => {
    await withOrders(async subject => {
      await createOrder(subject, undefined, 'cups')
      const statementsOf = async (key: string | undefined) => {
        const before = subject.proxy.counts().statements
        await createOrder(subject, key, key ?? 'no key')
        return subject.proxy.counts().statements - before
      }
      expect(await statementsOf('k1')).toBe(await statementsOf(undefined))
    })
  })

  it('belongs to the caller of the key', async () => {
    await withOrders(async subject => {
      const [one, other] = [await createOrder(subject, 'k1', 'tea', 'shop'), await createOrder(subject, 'k1', 'milk', 'other')]
      expect(one.id).not.toBe(other.id)
    })
  })

  it('is one for calls at the same time', async () => {
    await withOrders(async subject => {
      const rows = await Promise.all(Array.from({ length: 5 }, () => createOrder(subject, 'k1', 'tea')))
      expect(new Set(rows.map(({ id }) => id)).size).toBe(1)
      expect(await subject.database.query('SELECT 1 FROM orders')).toHaveLength(1)
    })
  })

  it('is another for each call without a key', async () => {
    await withOrders(async subject => {
      const [one, other] = [await createOrder(subject, undefined, 'tea'), await createOrder(subject, undefined, 'milk')]
      expect(one.id).not.toBe(other.id)
      expect(one.requestHash ?? null).toBeNull()
    })
  })

  it('keeps the error of another constraint', async () => {
    await withOrders(async subject => {
      await createOrder(subject, 'k1', 'tea')
      await expect(createOrder(subject, 'k2', 'tea')).rejects.toMatchObject({ name: 'SequelizeUniqueConstraintError' })
    })
  })

  it.each(['before', 'after'] as const)('is there once when COMMIT is lost %s the server has it', async when => {
    await withOrders(async subject => {
      subject.proxy.addFault({ on: 'statement', matches: 'COMMIT', when, action: 'reset' })
      const created = await createOrder(subject, 'k1', 'tea')
      expect(created.product).toBe('tea')
      expect(await subject.database.query('SELECT id FROM orders')).toEqual([{ id: created.id }])
    })
  })

  it('is said to be in progress while another call holds its key', async () => {
    await withOrders(async subject => {
      const { database } = subject
      await database.query('BEGIN')
      const values = { id: rowIdOf({ caller: 'shop', key: 'k1' }) }
      await database.query(`INSERT INTO orders (id, product, number, created_at, updated_at) VALUES ('${values.id}', 'tea', 1, now(), now())`)
      const waiting = runWithDeadline(openDeadline({ remainingMs: 1_500, reserveMs: 0 }), () => createOrder(subject, 'k1', 'tea'))
      await expect(waiting).rejects.toMatchObject({ status: 409, code: 'request-in-progress', retryable: true })
      await database.query('ROLLBACK')
      expect(await createOrder(subject, 'k1', 'tea')).toMatchObject({ product: 'tea' })
    })
  })

  it('takes what else belongs to it into its transaction', async () => {
    await withOrders(async ({ service, database }) => {
      const failing = createRowOnce('order.create', service, {
        claim: claimOf('k1', 'tea'),
        model: orderOf,
        values: { product: 'tea', number: 1 },
        complete: async () => Promise.reject(new Error('no stock')),
      })
      await expect(failing).rejects.toThrow('no stock')
      expect(await database.query('SELECT 1 FROM orders')).toEqual([])
    })
  })

  it('is refused within another unit, and for a model without a place for the hash', async () => {
    await withOrders(async subject => {
      await expect(subject.service.execute('around', () => createOrder(subject, 'k1', 'tea'))).rejects.toThrow(/call it outside of execute/)
      const model = (models: Parameters<typeof orderOf>[0]) => {
        const order = orderOf(models)
        return Object.assign(Object.create(order) as ModelStatic<Order>, { getAttributes: () => ({ id: {} }) })
      }
      const creating = createRowOnce('order.create', subject.service, { claim: claimOf('k1', 'tea'), model, values: {} })
      await expect(creating).rejects.toThrow(/Order has no attribute requestHash: add one of the type BLOB/)
    })
  })
})
