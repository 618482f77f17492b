import { DatabaseError } from 'sequelize'
import { describe, expect, it } from 'vitest'
import { callerError } from '../src/operation/caller-error.ts'
import { classifyError } from '../src/errors/classify-error.ts'
import { DatabaseBusyError, DatabaseUnavailableError } from '../src/errors/errors.ts'
import { openDeadline } from '../../invocation/src/deadline.ts'

const told = (error: Error, cause: Error) => {
  const deadline = openDeadline({ remainingMs: 10_000, reserveMs: 0 })
  try {
    return callerError(
      { error, cause, verdict: classifyError(cause), ofDatabase: true, aborted: false },
      { deadline, signal: deadline.signal, mode: 'write' },
    )
  } finally {
    deadline.clear()
  }
}
const inStatement = (error: Error) => new DatabaseError(Object.assign(error, { sql: 'SELECT 1' }))

describe('the error of a caller', () => {
  it('is that the database is unavailable when its connection ended, whatever the server said before', () => {
    const said = Object.assign(new Error('words that nobody knows'), { code: '08P01', severity: 'FATAL' })
    expect(told(inStatement(new Error('Connection terminated unexpectedly')), said)).toBeInstanceOf(DatabaseUnavailableError)
  })

  it('is that the database is busy when its connection ended because there was none to lend', () => {
    const said = Object.assign(new Error('query_wait_timeout'), { code: '08P01', severity: 'FATAL' })
    expect(told(inStatement(new Error('Connection terminated unexpectedly')), said)).toBeInstanceOf(DatabaseBusyError)
  })

  it('is the error of the statement when the connection is well', () => {
    const refused = inStatement(Object.assign(new Error('division by zero'), { code: '22012', severity: 'ERROR' }))
    expect(told(refused, refused)).toBe(refused)
  })
})
