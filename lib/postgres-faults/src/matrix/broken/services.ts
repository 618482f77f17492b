import { QueryTypes } from 'sequelize'
import { type DatabaseManager } from '../../../../resilient-sequelize/src/pool/manager.ts'
import { type Work } from '../../../../resilient-sequelize/src/operation/service.ts'
import { ApplicationError } from '../../../../errors.ts'
import { type Service } from '../workloads.ts'

// Services that do what the matrix is there to find.

type Perform = <Result>(work: (work: Work) => Promise<Result>) => Promise<Result>

const service = (perform: Perform): Service => ({ execute: (_name, work) => perform(work), safeExecute: work => work() })

/** Sequelize's own transaction, tried again after whatever went wrong. */
export function blindReplay(manager: DatabaseManager): Service {
  return service(async work => {
    for (let tries = 0; ; tries += 1) {
      try {
        return await inTransaction(manager, work)
      } catch (error) {
        if (tries === 3) throw error
      }
    }
  })
}

/** Answers before its transaction is committed, and does not look at what becomes of that. */
export function hastyAnswer(manager: DatabaseManager): Service {
  return service(
    work =>
      new Promise((resolve, reject) => {
        const committed = inTransaction(manager, async given => {
          const result = await work(given)
          resolve(result)
          return result
        })
        committed.catch(reject)
      }),
  )
}

/** Takes every lost answer for a failure. */
export function hastyRefusal(manager: DatabaseManager): Service {
  return service(work =>
    inTransaction(manager, work).catch((cause: unknown) => {
      throw new ApplicationError('It failed.', { code: 'failed', status: 503, cause })
    }),
  )
}

/** Never answers. */
export const noAnswer: Service = service(() => new Promise(() => undefined))

async function inTransaction<Result>(manager: DatabaseManager, work: (work: Work) => Promise<Result>): Promise<Result> {
  const sequelize = await manager.getSequelize()
  const transaction = await sequelize.transaction()
  const query: Work['query'] = <Row extends object>(text: string, bind: Readonly<Record<string, unknown>> = {}) =>
    sequelize.query<Row>(text, { transaction, type: QueryTypes.SELECT, bind })
  const result = await work({ transaction, query } as Work)
  await transaction.commit()
  return result
}
