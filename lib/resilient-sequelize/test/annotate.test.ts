import { DatabaseError, Sequelize, ValidationError } from 'sequelize'
import { describe, expect, it } from 'vitest'
import { annotate, type ErrorClasses } from '../src/errors/annotate.ts'

const classes = Sequelize as unknown as ErrorClasses
const annotated = (message: string) => annotate(new DatabaseError(Object.assign(new Error(message), { sql: 'SELECT 1', parameters: {} })), classes)

describe('an error of a lost connection', () => {
  it.each([
    'Client has encountered a connection error and is not queryable',
    'Connection terminated unexpectedly',
    'Query read timeout',
    'There was an error establishing an SSL connection',
  ])('gets a code when pg has words alone: %s', message => {
    expect(annotated(message)).toMatchObject({ name: 'SequelizeDatabaseError', message, code: 'database-unavailable', retryable: true })
  })
})

describe('any other error without a code', () => {
  it('stays without one', () => {
    expect(annotated('words that are in no table')).not.toHaveProperty('code')
    expect(annotate(new ValidationError('name cannot be null', []), classes)).not.toHaveProperty('code')
  })
})
