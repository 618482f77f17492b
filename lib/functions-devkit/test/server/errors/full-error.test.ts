import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { errorLinesIn } from '../../../src/server/errors/error-lines.ts'
import { fullErrors, type FullError } from '../../../src/server/errors/full-error.ts'

let checkout: string
let view: ReturnType<typeof fullErrors>
beforeAll(() => {
  checkout = realpathSync(mkdtempSync(join(tmpdir(), 'full-error-')))
  mkdirSync(join(checkout, 'lib/framework'), { recursive: true })
  writeFileSync(join(checkout, 'lib/framework/package.json'), '{}')
  view = fullErrors(checkout)
})
afterAll(() => rmSync(checkout, { recursive: true }))

/** An error whose stack leads through these places, innermost first. */
function at(error: Error, ...places: string[]): Error {
  error.stack = [`${error.name}: ${error.message}`, ...places.map(place => `    at run (${place})`)].join('\n')
  return error
}

/** As Sequelize makes it of the server's error. */
function ofServer(fields: Record<string, unknown>): Error {
  const original = Object.assign(new Error('column "nme" does not exist'), { severity: 'ERROR', code: '42703', ...fields })
  return Object.assign(new Error(original.message), {
    name: 'SequelizeDatabaseError',
    original,
    parent: original,
    sql: 'SELECT nme FROM users WHERE email = $1',
    parameters: ['ann@example.com'],
  })
}

describe('an error in full', () => {
  it('has the statement, its values and what the server says', () => {
    const described = view.describe(ofServer({ hint: 'Perhaps you meant "users.name".', position: '8', detail: 'a detail', constraint: 'a_key' }))
    expect(described).toMatchObject({
      type: 'SequelizeDatabaseError',
      message: 'column "nme" does not exist',
      code: '42703',
      sql: 'SELECT nme FROM users WHERE email = $1',
      values: ["$1 = 'ann@example.com'"],
      near: 'nme FROM users WHERE email = $1',
      hint: 'Perhaps you meant "users.name".',
      detail: 'a detail',
      constraint: 'a_key',
    })
    expect(described).not.toHaveProperty('cause')
  })

  it('names the first line of the application, past packages and framework', () => {
    const error = at(
      new Error('no'),
      join(checkout, 'node_modules/pg/lib/client.js:1:1'),
      join(checkout, 'lib/framework/src/work.ts:7:1'),
      join(checkout, '.local/functions/api/user/1/dist/index.js:9:1'),
      `file://${checkout}/lib/app/users.ts:30:12`,
      join(checkout, 'packages/api/user/index.ts:12:5'),
    )
    expect(view.describe(error).source).toBe('lib/app/users.ts:30')
    const lines = errorLinesIn(checkout)(view.describe(error))
    expect(lines.map(line => line.trim())).toEqual(['Error: no', 'at lib/app/users.ts:30', 'packages/api/user/index.ts:12'])
  })

  it('follows causes and the errors of an AggregateError', () => {
    const error = new AggregateError([new RangeError('one'), 'two'], 'both failed', { cause: new TypeError('why') })
    expect(view.describe(error)).toMatchObject({
      type: 'AggregateError',
      cause: { type: 'TypeError', message: 'why' },
      errors: [
        { type: 'RangeError', message: 'one' },
        { type: 'string', message: "'two'" },
      ],
    })
  })

  it('says of a violated constraint what Sequelize leaves to the inner error', () => {
    const original = Object.assign(new Error('duplicate key value violates unique constraint "users_email_key"'), {
      severity: 'ERROR',
      code: '23505',
    })
    const error = Object.assign(new Error('Validation error'), { original, errors: [{ message: 'email must be unique' }] })
    expect(view.describe(error)).toMatchObject({ message: `Validation error: ${original.message}`, errors: [{ message: 'email must be unique' }] })
    expect(view.detailOf(error)).toBe(`Error: Validation error: ${original.message}`)
  })

  it('comes out of a circle of causes and past fields that throw', () => {
    const first = new Error('first')
    const second = new Error('second', { cause: first })
    Object.assign(first, { cause: second })
    expect(JSON.stringify(view.describe(second)).match(/first/g)?.length).toBeLessThan(20)
    const hostile = Object.defineProperty(new Error('x'), 'sql', {
      get() {
        throw new Error('no')
      },
    })
    expect(view.describe(hostile).type).toBe('unreadable')
  })

  it.each([undefined, null, 'a text', 7, { a: 1 }])('shows %j that was thrown in place of an error', thrown => {
    expect(view.describe(thrown).message).toBe(
      typeof thrown === 'object' && thrown !== null ? '{ a: 1 }' : typeof thrown === 'string' ? "'a text'" : String(thrown),
    )
  })
})

it('a terminal gets an error in lines that it does not obey', () => {
  const error: FullError = {
    type: 'Error',
    message: '\u001b[2J',
    sql: 'SELECT\n  1',
    values: ["$1 = '\u202e'"],
    hint: 'a hint',
    cause: { type: 'TypeError' },
  }
  const lines = errorLinesIn(checkout)(error)
  expect(lines.join('')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  expect(lines.map(line => line.trim())).toEqual([
    'Error: \\u{1b}[2J',
    'SQL: SELECT',
    '1',
    "$1 = '\\u{202e}'",
    'hint: a hint',
    'caused by TypeError:',
  ])
})
