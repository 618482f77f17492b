import { type Work } from '../../../../functions-runtime/src/database/service.ts'
import { operationName, type CallOptions } from '../repetition.ts'
import { type Row } from '../row.ts'

const touch = (table: string, id: number) => `UPDATE ${table} SET touched = touched + 1 WHERE id = ${id}`

/** Two operations stand in each other's way, so that the server can let only one of them through at first. */
export const conflict: Row = {
  number: 15,
  fault: 'deadlock and serialization failure',
  variants: ['deadlock', 'serialization failure'],
  poolMax: 3,
  async scenario({ call, kind, variant, database }) {
    // A table of its own: the server takes reads of a small one for reads of all of it.
    const table = operationName()
    await database.query(`CREATE TABLE ${table} AS SELECT * FROM contended WHERE id IN (1, 2)`)
    const both = barrier(2)
    const one: CallOptions = conflicting({ variant, table, order: [1, 2], meet: both })
    const other: CallOptions = conflicting({ variant, table, order: [2, 1], meet: both })
    // A read cannot conflict by itself: it goes on between two writes that do.
    if (kind === 'read') await Promise.all([call({ kind: 'write', ...one }), call({ kind: 'write', ...other }), call(), call()])
    else await Promise.all([call(one), call(other)])
    await call()
  },
}

interface Conflict {
  variant: string
  table: string
  order: readonly [number, number]
  meet: () => Promise<void>
}

function conflicting({ variant, table, order: [first, second], meet }: Conflict): CallOptions {
  if (variant === 'deadlock') {
    return {
      async extra(work, attempt) {
        await work.query(touch(table, first))
        if (attempt === 1) await meet()
        await work.query(touch(table, second))
      },
    }
  }
  return {
    isolation: 'SERIALIZABLE',
    async extra(work: Work, attempt) {
      await work.query(`SELECT touched FROM ${table}`)
      if (attempt === 1) await meet()
      await work.query(touch(table, first))
    },
  }
}

/** Holds whoever comes until `count` have come. */
function barrier(count: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let come = 0
  return () => {
    come += 1
    if (come >= count) resolve()
    return promise
  }
}
