import { expect, it } from 'vitest'
import { describeError, redactMessage } from '../../src/telemetry/redact.ts'

it.each([
  ['getaddrinfo ENOTFOUND shop-db', 'getaddrinfo ENOTFOUND [host]'],
  ['connect ECONNREFUSED 10.1.2.3:25060', 'connect ECONNREFUSED [host]'],
  ['connect ECONNREFUSED ::1:5432', 'connect ECONNREFUSED [host]'],
  ['password authentication failed for user "ann"', 'password authentication failed for user [value]'],
  ['Key (email)=(ann@example.com) already exists.', 'Key (email)=([value]) already exists.'],
  ['no route to a.b.db.ondigitalocean.com:25061', 'no route to [host]'],
  ['bad URL postgres://u:p@h/d given', 'bad URL [url] given'],
  ["invalid input syntax for type uuid: 'x'", 'invalid input syntax for type uuid: [value]'],
  ['timeout expired', 'timeout expired'],
])('redacts %j', (message, redacted) => {
  expect(redactMessage(message)).toBe(redacted)
})

it('takes only codes and names of an error that comes from the database', () => {
  const error = Object.assign(new Error('duplicate key value: ann@example.com'), {
    name: 'SequelizeUniqueConstraintError',
    sql: 'INSERT INTO users VALUES (ann@example.com)',
    parameters: ['ann@example.com'],
    original: Object.assign(new Error('ann@example.com'), {
      severity: 'ERROR',
      code: '23505',
      detail: 'Key (email)=(ann@example.com)',
      constraint: 'users_email_key',
    }),
  })
  const described = describeError(error)
  expect(JSON.stringify(described)).not.toContain('ann@example.com')
  expect(described).toMatchObject({ type: 'SequelizeUniqueConstraintError', cause: { code: '23505', constraint: 'users_email_key' } })
})

it('shows the frames of the stack without the message in front of them', () => {
  const described = describeError(new Error('top "secret"\n    second line'))
  expect(described.stack?.[0]).toMatch(/^at .*redact\.test\.ts/)
  expect(JSON.stringify(described)).not.toContain('secret')
})

it('follows causes, and comes out of a circle', () => {
  const first = new Error('first')
  const second = new Error('second', { cause: first })
  Object.assign(first, { cause: second })
  expect(describeError(second).cause?.message).toBe('first')
})

it.each([undefined, null, 'a secret', 7, { a: 1 }])('tells no more than the kind of %j', thrown => {
  expect(Object.keys(describeError(thrown))).toEqual(['type'])
})
