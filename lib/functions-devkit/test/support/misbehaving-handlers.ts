import pg from 'pg'
import { Sequelize } from 'sequelize'
import * as z from 'zod/mini'
import type { Work } from '../../../functions-runtime/src/database/service.ts'
import { ConflictError } from '../../../functions-runtime/src/edge/http-errors.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { makeResilient } from '../../../resilient-sequelize/src/resilient-sequelize.ts'
import { defineHandler } from '../../../webhook-inbox/src/inbox/handler.ts'

// Handlers that do what a unit of work must survive. Each try leaves a number in the sequence `tries` and a row in `effects`.

const NOWHERE = 'postgres://nobody@127.0.0.1:9/none'
// In a bundle Sequelize finds no module by its name.
const OPTIONS = { logging: false, dialectModule: pg } as const
const looksLike = (fields: object) => Promise.reject(Object.assign(new Error('of another client'), fields))
const nowait = 'SELECT FROM locked WHERE id = 1 FOR UPDATE NOWAIT'

type Misbehaviour = (work: Work, elsewhere: string) => Promise<unknown>

export const misbehaviours = {
  'a refused fetch': () => fetch('http://127.0.0.1:47'),
  'another pg client': () => new pg.Client(NOWHERE).connect(),
  'stock Sequelize': () => new Sequelize(NOWHERE, OPTIONS).authenticate(),
  'another resilient instance': async () => {
    const deadline = openDeadline({ remainingMs: 500, reserveMs: 0 })
    const other = new (makeResilient(Sequelize))(NOWHERE, OPTIONS)
    return other.execute('away', ({ query }) => query('SELECT 1'), { deadline }).finally(() => deadline.clear())
  },
  'the looks of a conflict': () => looksLike({ code: '40001', severity: 'ERROR' }),
  'the looks of a shutdown': () => looksLike({ code: '57P01', severity: 'FATAL' }),
  "the driver's words": () => Promise.reject(new Error('Connection terminated unexpectedly')),

  'a second instance': async (_work, elsewhere) => {
    const other = new Sequelize(elsewhere, OPTIONS)
    await other.query("INSERT INTO effects VALUES ('elsewhere')")
    await other.getQueryInterface().bulkInsert('effects', [{ what: 'elsewhere' }])
    await other.close()
  },

  'transaction.rollback()': ({ transaction }) => transaction.rollback(),
  'transaction.rollback(), handled': ({ transaction }) => transaction.rollback().catch(() => undefined),
  'ROLLBACK by SQL': ({ query }) => query('ROLLBACK'),
  'COMMIT by SQL': ({ query }) => query('COMMIT'),
  'COMMIT AND CHAIN': ({ query }) => query('COMMIT AND CHAIN'),
  'COMMIT and an error': async ({ query }) => {
    await query('COMMIT')
    throw new Error('behind it')
  },

  'NOWAIT in a savepoint': async ({ sequelize }) => {
    await sequelize.transaction(() => sequelize.query(nowait)).catch(() => undefined)
    throw new ConflictError('row-taken', 'Another call has this row.')
  },
  'NOWAIT in a savepoint by SQL': async ({ query }) => {
    await query('SAVEPOINT s')
    await query(nowait).catch(() => undefined)
    await query('ROLLBACK TO SAVEPOINT s')
    throw new ConflictError('row-taken', 'Another call has this row.')
  },
  'a conflict in a savepoint': async ({ sequelize }) => {
    await sequelize.transaction(() => sequelize.query("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$")).catch(() => undefined)
    throw new ConflictError('row-taken', 'Another call has this row.')
  },
  'NOWAIT alone': ({ query }) => query(nowait),
} satisfies Record<string, Misbehaviour>

export const misbehavingHandlers = [
  defineHandler({
    type: 'own.misbehaved',
    schema: z.object({ how: z.string(), elsewhere: z.string() }),
    needsDatabase: true,
    async apply({ data: { how, elsewhere } }, work) {
      await work.query("SELECT nextval('tries')")
      await work.query("INSERT INTO effects VALUES ('ours')")
      const misbehave: Misbehaviour | undefined = (misbehaviours as Record<string, Misbehaviour>)[how]
      await misbehave?.(work, elsewhere)
    },
  }),
]
