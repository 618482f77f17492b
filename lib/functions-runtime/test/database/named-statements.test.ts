import { describe, expect, it } from 'vitest'
import type { DatabaseService, Work } from '../../src/database/service.ts'
import { codeOf } from '../../../resilient-sequelize/src/errors/code-of.ts'
import { withService } from '../../../functions-devkit/test/support/service.ts'

const TEXT = 'SELECT $number::int AS number'
const read = async (service: DatabaseService, number: unknown = 1) =>
  (await service.execute('read', ({ query }) => query<{ number: number }>(TEXT, { number }), { mode: 'read' }))[0]?.number
const write = async (service: DatabaseService, number = 1) =>
  (await service.execute('write', ({ query }) => query<{ number: number }>(TEXT, { number })))[0]?.number
const names = (service: DatabaseService) =>
  service.execute('names', ({ query }) => query<{ statement: string }>('SELECT statement FROM pg_prepared_statements ORDER BY statement'))
const named = async (service: DatabaseService) => (await names(service)).map(({ statement }) => statement).filter(text => text.includes('::int'))

describe('a statement that comes again', () => {
  it.each([
    ['read', read],
    ['write', write],
  ])('is parsed once for its session (%s)', async (_mode, run) => {
    await withService(async ({ service }) => {
      for (const number of [1, 2, 3, 4]) expect(await run(service, number)).toBe(number)
      expect(await named(service)).toEqual(['SELECT $1::int AS number'])
    })
  })

  it('is parsed once when it only sets the limits of a read', async () => {
    await withService(async ({ service }) => {
      for (const number of [1, 2, 3]) await read(service, number)
      expect((await names(service)).filter(({ statement }) => statement.includes('set_config'))).toHaveLength(1)
    })
  })

  it('is one trip, whether it is parsed, named or only called', async () => {
    await withService(async ({ service, proxy }) => {
      await read(service)
      for (let call = 0; call < 4; call += 1) {
        proxy.resetCounts()
        await read(service)
        expect(proxy.counts().roundTrips).toBe(1)
      }
    })
  })

  it('is sent at once with itself, and each has its own answer', async () => {
    await withService(async ({ service }) => {
      await read(service)
      const both = ({ query }: Work) => Promise.all([1, 2, 3].map(async number => (await query<{ number: number }>(TEXT, { number }))[0]?.number))
      for (const mode of ['read', 'write', 'read'] as const) expect(await service.execute('both', both, { mode })).toEqual([1, 2, 3])
    })
  })

  it('outlives values that the server refuses, and a transaction that was taken back', async () => {
    await withService(async ({ service }) => {
      for (let call = 0; call < 4; call += 1) {
        await expect(read(service, 'no number').catch(codeOf)).resolves.toBe('22P02')
        await expect(write(service, 'no number' as never).catch(codeOf)).resolves.toBe('22P02')
        expect(await read(service, call)).toBe(call)
        expect(await write(service, call)).toBe(call)
      }
    })
  })

  it('is planned anew when its table has changed', async () => {
    await withService(async ({ service, database }) => {
      const all = () => service.execute('all', ({ query }) => query('SELECT * FROM users WHERE name = $name', { name: 'nobody' }), { mode: 'read' })
      for (let call = 0; call < 4; call += 1) await all()
      await database.query('ALTER TABLE users ADD COLUMN more text')
      expect(await all()).toEqual([])
    })
  })

  it('is parsed anew when somebody threw the names away', async () => {
    await withService(async ({ service }) => {
      for (let call = 0; call < 4; call += 1) await read(service)
      await service.execute('forget', ({ query }) => query('DEALLOCATE ALL'))
      expect(await read(service, 5)).toBe(5)
      for (let call = 0; call < 4; call += 1) expect(await read(service, call)).toBe(call)
    })
  })

  it('is not named before it came twice, and never without values', async () => {
    await withService(async ({ service }) => {
      const texts = Array.from({ length: 4 }, (_, index) => `SELECT ${index}::int AS number`)
      for (const text of [...texts, ...texts]) await service.execute('text', ({ query }) => query(text), { mode: 'read' })
      await write(service)
      expect(await named(service)).toEqual([])
    })
  })
})
