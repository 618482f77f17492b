import { createRequire } from 'node:module'
import { DataTypes, Sequelize, type ModelStatic, type Model, type Transaction } from 'sequelize'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ResilientSequelize } from '../../src/index.ts'
import { withDatabase, type TestDatabase } from '../../../functions-devkit/test/support/database.ts'

// Work never crosses from one Sequelize instance into another, in either direction.

// cls-hooked has no types of its own.
const { createNamespace, destroyNamespace } = createRequire(import.meta.url)('cls-hooked') as {
  createNamespace(name: string): { get(key: string): unknown }
  destroyNamespace(name: string): void
}

interface Instance {
  readonly sequelize: Sequelize
  readonly Counter: ModelStatic<Model>
  count(): Promise<number>
}

interface Pair {
  readonly ours: Instance & { readonly sequelize: ResilientSequelize }
  readonly other: Instance
}

async function instance<Kind extends Sequelize>(sequelize: Kind, database: TestDatabase): Promise<Instance & { sequelize: Kind }> {
  const Counter = sequelize.define('Counter', { name: DataTypes.TEXT, hits: DataTypes.INTEGER }, { timestamps: false })
  await Counter.sync()
  const count = async () => (await database.query<{ n: number }>('SELECT count(*)::int AS n FROM "Counters"'))[0]?.n ?? -1
  return { sequelize, Counter, count }
}

async function withPair(kind: 'stock' | 'resilient', work: (pair: Pair) => Promise<void>): Promise<void> {
  await withDatabase(
    first =>
      withDatabase(
        async second => {
          const options = { logging: false, pool: { max: 2 } } as const
          const resilient = new ResilientSequelize(first.url, options)
          const other = kind === 'stock' ? new Sequelize(second.url, options) : new ResilientSequelize(second.url, options)
          try {
            await work({ ours: await instance(resilient, first), other: await instance(other, second) })
          } finally {
            await resilient.gracefulShutdown()
            await other.close()
          }
        },
        { empty: true },
      ),
    { empty: true },
  )
}

/** Each writes one row, by another part of Sequelize. */
const WRITES: Record<string, (instance: Instance) => Promise<unknown>> = {
  'Model.create': ({ Counter }) => Counter.create({ name: 'a', hits: 0 }),
  'a raw query': ({ sequelize }) => sequelize.query(`INSERT INTO "Counters" (name, hits) VALUES ('a', 0)`),
  'the query interface': ({ sequelize }) => sequelize.getQueryInterface().bulkInsert('Counters', [{ name: 'a', hits: 0 }]),
  'upsert and increment': async ({ Counter }) => {
    const [row] = await Counter.upsert({ name: 'a', hits: 0 })
    await row.increment('hits')
    await Counter.increment('hits', { by: 1, where: { name: 'a' } })
  },
  findOrCreate: async ({ Counter, count }) => Counter.findOrCreate({ where: { name: `${await count()}` } }),
}

/** The same, in a transaction of its own: Sequelize begins a second one also where there is an ambient one. */
const OWN_TRANSACTIONS: typeof WRITES = {
  'a transaction of its own': ({ sequelize, Counter }) => sequelize.transaction(() => Counter.create({ name: 'a' })),
  'an unmanaged transaction': async ({ sequelize, Counter }) => {
    const transaction = await sequelize.transaction()
    await Counter.create({ name: 'a' }, { transaction })
    await transaction.commit()
  },
}

class TakenBack extends Error {}

const takenBack = async () => Promise.reject(new TakenBack())
const failing = async (run: () => Promise<unknown>): Promise<void> =>
  run().then(
    () => Promise.reject(new Error('this must fail')),
    (error: unknown) => {
      if (!(error instanceof TakenBack)) throw error
    },
  )

describe.each([true, false])('with useCLS: %s', cls => {
  beforeEach(() => {
    if (cls) Sequelize.useCLS(createNamespace('application'))
  })
  afterEach(() => {
    delete (Sequelize as { _cls?: unknown })._cls
    if (cls) destroyNamespace('application')
  })

  describe.each(['stock', 'resilient'] as const)('beside an instance that is %s', kind => {
    it.each(Object.entries({ ...WRITES, ...OWN_TRANSACTIONS }))('%s stays with its instance in a unit', async (_which, write) => {
      await withPair(kind, async ({ ours, other }) => {
        // What the other wrote is there, what ours wrote is not.
        await failing(() => ours.sequelize.execute('unit', async () => (await write(ours), await write(other), takenBack())))
        expect([await ours.count(), await other.count()]).toEqual([0, 1])
      })
    })

    it.each(Object.entries(WRITES))('%s stays with its instance in a transaction', async (_which, write) => {
      await withPair(kind, async ({ ours, other }) => {
        // In a transaction of ours that fails.
        await failing(() =>
          ours.sequelize.transaction(async transaction => {
            if (cls) await write(ours)
            else await ours.Counter.create({ name: 'a' }, { transaction })
            await write(other)
            await takenBack()
          }),
        )
        expect([await ours.count(), await other.count()]).toEqual([0, 1])
        // In a transaction of the other that fails.
        await failing(() =>
          other.sequelize.transaction(async transaction => {
            if (cls) await write(other)
            else await other.Counter.create({ name: 'a' }, { transaction })
            await write(ours)
            await takenBack()
          }),
        )
        expect([await ours.count(), await other.count()]).toEqual([1, 1])
      })
    })

    it('each stays in its own of two nested transactions', async () => {
      await withPair(kind, async ({ ours, other }) => {
        for (const [outer, inner] of [
          [ours, other],
          [other, ours],
        ] as const) {
          const before = [await outer.count(), await inner.count()]
          await failing(() =>
            outer.sequelize.transaction(async of => {
              await inner.sequelize.transaction(async transaction => {
                await outer.Counter.create({ name: 'outer' }, cls ? {} : { transaction: of })
                await inner.Counter.create({ name: 'inner' }, cls ? {} : { transaction })
              })
              await takenBack()
            }),
          )
          // The inner one has committed; the outer one's row went with it.
          const after = [await outer.count(), await inner.count()]
          expect(after).toEqual([before[0], (before[1] ?? 0) + 1])
        }
      })
    })

    it('a transaction of the other is refused by name', async () => {
      await withPair(kind, async ({ ours, other }) => {
        const transaction: Transaction = await other.sequelize.transaction()
        await expect(ours.Counter.create({ name: 'a' }, { transaction })).rejects.toMatchObject({ code: 'nested-operation' })
        await transaction.rollback()
        expect(await ours.count()).toBe(0)
      })
    })
  })
})

describe("the application's namespace", () => {
  it('may be an accessor of the class', async () => {
    const namespace = createNamespace('application')
    const SequelizeClass = Sequelize as unknown as { _cls?: unknown }
    try {
      Object.defineProperty(SequelizeClass, '_cls', { get: () => namespace, configurable: true })
      await withPair('stock', async ({ ours }) => {
        await failing(() => ours.sequelize.transaction(async () => (await ours.Counter.create({ name: 'a' }), takenBack())))
        expect(await ours.count()).toBe(0)
      })
    } finally {
      delete SequelizeClass._cls
      destroyNamespace('application')
    }
  })

  it('is the object that it set, and holds our transaction', async () => {
    const namespace = createNamespace('application')
    try {
      Sequelize.useCLS(namespace)
      await withPair('stock', async ({ ours, other }) => {
        const seen = await ours.sequelize.transaction(async transaction => ({
          own: namespace.get('transaction') === transaction,
          class: (ResilientSequelize as unknown as { _cls: { get(key: string): unknown } })._cls.get('transaction') === transaction,
          other: (other.sequelize.constructor as unknown as { _cls: { get(key: string): unknown } })._cls.get('transaction'),
        }))
        expect(seen).toEqual({ own: true, class: true, other: undefined })
        expect((Sequelize as unknown as { _cls: unknown })._cls).toBe(namespace)
        await other.sequelize.transaction(async transaction => expect(namespace.get('transaction')).toBe(transaction))
      })
    } finally {
      delete (Sequelize as { _cls?: unknown })._cls
      destroyNamespace('application')
    }
  })
})
