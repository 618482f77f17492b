import { AsyncLocalStorage } from 'node:async_hooks'
import { type PoolManager } from '../../../../resilient-sequelize/src/pool/manager.ts'
import { type Work } from '../../../../functions-runtime/src/database/service.ts'
import { CodedError } from '../../../../invocation/src/errors.ts'
import { type Service } from '../workloads.ts'

// Services that do what the matrix is there to find.

const outside = AsyncLocalStorage.snapshot()

type Perform = <Result>(work: (work: Work) => Promise<Result>) => Promise<Result>

const service = (perform: Perform): Service => ({ execute: (_name, work) => perform(work), safeExecute: work => work() })

/** A transaction by hand, tried again after whatever went wrong. */
export function blindReplay(manager: PoolManager): Service {
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
export function hastyAnswer(manager: PoolManager): Service {
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
export function hastyRefusal(manager: PoolManager): Service {
  return service(work =>
    inTransaction(manager, work).catch((cause: unknown) => {
      throw new CodedError('It failed.', { code: 'failed', cause })
    }),
  )
}

/** Never answers. */
export const noAnswer: Service = service(() => new Promise(() => undefined))

// By hand over a connection of the pool: a transaction of the instance would decide a lost COMMIT.
async function inTransaction<Result>(manager: PoolManager, work: (work: Work) => Promise<Result>): Promise<Result> {
  // An invocation would drop the connection as soon as it has answered.
  const lease = await outside(() => manager.acquire())
  const { connection, generation } = lease
  const query: Work['query'] = (text, bind = {}) => generation.host.run(connection, typeof text === 'string' ? text : text('public'), bind)
  try {
    await connection.sendRaw('START TRANSACTION')
    const result = await work({ query } as Work)
    await connection.sendRaw('COMMIT')
    lease.release()
    return result
  } catch (error) {
    lease.destroy()
    throw error
  }
}
