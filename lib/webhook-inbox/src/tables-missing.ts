import { CodedError } from '../../invocation/src/errors.ts'
import { errorChain, readField } from '../../resilient-sequelize/src/errors/error-chain.ts'
import { tables } from './tables.ts'

const UNDEFINED_TABLE = '42P01'

/**
 * Returns `tables-missing`, which says what to do, for a statement that found no table of the inbox in its schema; any other
 * error as it is. Names are the same in the messages of every server language, and a handler's tables have other names.
 */
export function explainMissingTables(error: unknown, schema: string): unknown {
  const isMissing = (name: string) =>
    errorChain(error).some(one => readField(one, 'code') === UNDEFINED_TABLE && String(readField(one, 'message')).includes(`${schema}.${name}`))
  const missing = Object.keys(tables).find(isMissing)
  if (missing === undefined) return error
  const cure = 'Apply the migrations of webhook-inbox with migrate({ sequelize, migrations, schema }), and pass the same schema to createInbox.'
  return new CodedError(`The inbox finds no ${missing} in the schema ${schema}. ${cure}`, { code: 'tables-missing', cause: error })
}
