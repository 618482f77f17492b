import fc from 'fast-check'
import { ConnectionAcquireTimeoutError, ConnectionError, DatabaseError, UniqueConstraintError, ValidationError } from 'sequelize'
import { describe, expect, it } from 'vitest'
import { classifyError, errorCode, violatedUniqueConstraint } from '../src/errors/classify-error.ts'
import { errorTable } from '../src/errors/table.ts'

type Fields = Readonly<Record<string, unknown>>

const errorWith = (message: string, fields: Fields = {}) => Object.assign(new Error(message), fields)
const fromServer = (code: string, message = 'as the server says it', severity = 'ERROR') => errorWith(message, { code, severity })
const fromSystem = (code: string, syscall = 'connect') => errorWith(`${syscall} ${code}`, { code, syscall, errno: -1 })
// DatabaseError wants the statement as well.
const inStatement = (error: Error) => new DatabaseError(Object.assign(error, { sql: 'SELECT 1' }))

// The three answers as they were found out, one by one: transient, connection, replay. `t` and `f` stand for true and false.
const answersBySqlstate: Readonly<Record<string, string>> = {
  '08000': 't drop check',
  '08003': 't drop check',
  '08001': 't none yes',
  '08004': 't none yes',
  '08006': 't drop check',
  '08007': 't drop check',
  '08P01': 'f drop check',
  '25006': 't drop yes',
  '25P02': 'f keep transaction',
  '25P03': 't drop transaction',
  '25P04': 't drop transaction',
  '26000': 't drop yes',
  '28000': 'f drop yes',
  '28P01': 'f drop yes',
  '3D000': 'f keep no',
  '42601': 'f keep no',
  '42P01': 'f keep no',
  '22012': 'f keep no',
  '22P02': 'f keep no',
  '23505': 'f keep no',
  '23503': 'f keep no',
  '23514': 'f keep no',
  '23P01': 'f keep no',
  '23502': 'f keep no',
  '40001': 't keep transaction',
  '40P01': 't keep transaction',
  '40000': 't keep transaction',
  '40002': 'f keep transaction',
  '40003': 't drop check',
  CR000: 't keep transaction',
  '53000': 't keep transaction',
  '53200': 't keep transaction',
  '53100': 'f keep transaction',
  '53300': 't none yes',
  '53400': 't keep transaction',
  '55P03': 't keep transaction',
  '55006': 't keep transaction',
  '55000': 'f keep transaction',
  '57014': 't keep transaction',
  '57P01': 't drop check',
  '57P02': 't drop check',
  '57P03': 't none yes',
  '57P04': 'f drop no',
  '57P05': 't drop yes',
  '58000': 't drop check',
  '58030': 't drop check',
  XX000: 'f drop no',
  XX001: 'f drop no',
  XX002: 'f drop no',
}

const answersByServerText: readonly (readonly [code: string, text: string, answers: string])[] = [
  ['08P01', 'query_wait_timeout', 't drop yes'],
  ['08P01', 'no more connections allowed (max_client_conn)', 't none yes'],
  ['08P01', 'remaining connection slots are reserved for roles with the SUPERUSER attribute', 't drop yes'],
  ['08P01', 'server login has been failing, cached error: sorry, too many clients already (server_login_retry)', 't drop yes'],
  ['08P01', 'client_login_timeout (server down)', 't none yes'],
  ['08P01', 'server login has been failing, try again later (server_login_retry)', 't drop yes'],
  ['08P01', 'invalid server parameter', 't drop yes'],
  ['08P01', 'server shutting down', 't drop check'],
  ['08P01', 'pause failed', 't drop check'],
  ['08P01', 'server conn crashed?', 't drop check'],
  ['08P01', 'database removed', 't drop check'],
  ['08P01', 'query timeout', 't drop check'],
  ['08P01', 'idle transaction timeout', 't drop transaction'],
  ['08P01', 'client_idle_timeout', 't drop yes'],
  ['08P01', 'password authentication failed for user "u"', 'f drop yes'],
  ['08P01', 'SASL authentication failed', 'f drop yes'],
  ['08P01', 'no such user: u', 'f drop yes'],
  ['08P01', 'unsupported startup parameter: options', 'f drop yes'],
]

// In whatever language.
const answersByRoutine: readonly (readonly [code: string, routine: string, answers: string])[] = [
  ['0A000', 'RevalidateCachedQuery', 't drop transaction'],
  ['0A000', 'call_bool_check_hook', 't drop yes'],
]

const answersByErrno: readonly (readonly [code: string, syscall: string, answers: string])[] = [
  ['ECONNREFUSED', 'connect', 't none yes'],
  ['EHOSTUNREACH', 'connect', 't none yes'],
  ['ENETUNREACH', 'connect', 't none yes'],
  ['EHOSTUNREACH', 'read', 't drop check'],
  ['ENETUNREACH', 'write', 't drop check'],
  ['EAI_AGAIN', 'getaddrinfo', 't none yes'],
  ['ENOTFOUND', 'getaddrinfo', 't none yes'],
  ['ETIMEDOUT', 'connect', 't none yes'],
  ['ETIMEDOUT', 'read', 't drop check'],
  ['ECONNRESET', 'read', 't drop check'],
  ['EPIPE', 'write', 't drop check'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', '', 'f none no'],
  ['SELF_SIGNED_CERT_IN_CHAIN', '', 'f none no'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', '', 'f none no'],
  ['UNABLE_TO_GET_ISSUER_CERT', '', 'f none no'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', '', 'f none no'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', '', 'f none no'],
  ['CERT_HAS_EXPIRED', '', 'f none no'],
  ['CERT_NOT_YET_VALID', '', 'f none no'],
]

const answersByText: Readonly<Record<string, string>> = {
  'timeout expired': 't none yes',
  'timeout exceeded when trying to connect': 't none yes',
  'Connection terminated due to connection timeout': 't none yes',
  'Connection timed out': 't none yes',
  'Connection terminated unexpectedly': 't drop check',
  'Connection terminated': 't drop check',
  'SSL SYSCALL error: EOF detected': 't drop check',
  'Query read timeout': 't drop check',
  'Client has encountered a connection error and is not queryable': 't drop yes',
  'Client was closed and is not queryable': 't drop yes',
  'Received unexpected dataRow message from backend.': 'f drop check',
  'ConnectionManager.getConnection was called after the connection manager was closed!': 't rebuild yes',
  'pool is draining and cannot accept work': 't rebuild yes',
  'The server does not support SSL connections': 'f none no',
  'There was an error establishing an SSL connection': 't none yes',
  'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string': 'f none no',
  'SASL: SCRAM-SERVER-FINAL-MESSAGE: server signature does not match': 'f none no',
}

function answersOf(error: unknown): string {
  const { transient, connection, replay } = classifyError(error)
  return `${transient ? 't' : 'f'} ${connection} ${replay}`
}

describe('the error table', () => {
  it('has each key once', () => {
    const keys = errorTable.map(({ key }) => key)
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('hides no row behind a wider one', () => {
    const hidden = errorTable.filter(({ match }, index) => {
      const before = errorTable.slice(0, index).map(row => row.match)
      return (
        'sqlstate' in match &&
        before.some(wider => 'sqlstate' in wider && (wider.text ?? wider.routine) === undefined && match.sqlstate.startsWith(wider.sqlstate))
      )
    })
    expect(hidden).toEqual([])
  })

  it('knows no error of the server by its text', () => {
    const byText = errorTable.flatMap(({ match }) => ('sqlstate' in match && match.text !== undefined ? [match.sqlstate] : []))
    expect(new Set(byText)).toEqual(new Set(['08P01']))
  })

  it('names SQLSTATEs and their classes in full', () => {
    const sqlstates = errorTable.flatMap(({ match }) => ('sqlstate' in match ? [match.sqlstate] : []))
    expect(sqlstates.filter(sqlstate => !/^([0-9A-Z]{5}|\d\d)$/.test(sqlstate))).toEqual([])
  })

  it('counts no queue as an outage', () => {
    expect(errorTable.filter(({ crowded, outage }) => crowded && outage)).toEqual([])
    expect(errorTable.filter(({ crowded }) => crowded).map(({ key }) => key)).toEqual([
      '08P01:query-wait-timeout',
      '08P01:no-more-connections',
      '08P01:server-full',
      '53300',
      'acquire-timeout',
    ])
  })

  it('never lets work be replayed blindly when a commit may have been under way', () => {
    const mayHaveCommitted = [
      '08006',
      '08007',
      '40003',
      '57P01',
      'ECONNRESET',
      'EPIPE',
      'ETIMEDOUT',
      'text:connection-terminated',
      'text:read-timeout',
    ]
    expect(errorTable.filter(({ key }) => mayHaveCommitted.includes(key)).map(({ replay }) => replay)).toEqual(mayHaveCommitted.map(() => 'check'))
  })

  it('bounds what a few tries would have mended', () => {
    const bounded = errorTable.filter(({ maxReplays }) => maxReplays !== undefined).map(({ key, maxReplays }) => `${key} ${maxReplays}`)
    expect(bounded).toEqual(expect.arrayContaining(['08004 3', '0A000:cached-plan 1', '25P03 1', '26000 1', 'ENOTFOUND 3']))
  })

  it('marks what is transient under a condition only', () => {
    expect(errorTable.filter(({ inWritesOnly }) => inWritesOnly).map(({ key }) => key)).toEqual(['0A000:read-write-mode', '25006'])
    expect(errorTable.filter(({ onlyIfOptedIn }) => onlyIfOptedIn).map(({ key }) => key)).toEqual(['08P01:query-timeout', '25P04', '57014'])
  })
})

describe('the answers', () => {
  it.each(Object.entries(answersBySqlstate))('to SQLSTATE %s are %s', (code, answers) => {
    expect(answersOf(inStatement(fromServer(code)))).toBe(answers)
    expect(classifyError(fromServer(code)).code).toBe(code)
  })

  it.each(answersByServerText)('to SQLSTATE %s with "%s" are %s', (code, message, answers) => {
    expect(answersOf(new ConnectionError(fromServer(code, message, 'FATAL')))).toBe(answers)
  })

  it.each(answersByRoutine)('to SQLSTATE %s of %s are %s', (code, routine, answers) => {
    expect(answersOf(inStatement(Object.assign(fromServer(code, 'неважно', 'ОШИБКА'), { routine })))).toBe(answers)
  })

  it.each(answersByErrno)('to %s in %o are %s', (code, syscall, answers) => {
    expect(answersOf(new ConnectionError(fromSystem(code, syscall)))).toBe(answers)
  })

  it.each(Object.entries(answersByText))('to "%s" are %s', (message, answers) => {
    expect(answersOf(new Error(message))).toBe(answers)
    expect(answersOf(inStatement(new Error(message)))).toBe(answers)
  })

  it('to a pool without a free connection are found by the name of the class alone', () => {
    const error = new ConnectionAcquireTimeoutError(new Error('Operation timeout'))
    expect(classifyError(error)).toMatchObject({
      key: 'acquire-timeout',
      transient: true,
      connection: 'keep',
      replay: 'yes',
      crowded: true,
      outage: false,
    })
  })

  it('come from every row that has no wider one before it', () => {
    const covered = [
      ...Object.keys(answersBySqlstate).map(code => fromServer(code)),
      ...answersByServerText.map(([code, message]) => fromServer(code, message)),
      ...answersByRoutine.map(([code, routine]) => Object.assign(fromServer(code), { routine })),
      ...answersByErrno.map(([code, syscall]) => fromSystem(code, syscall)),
      ...Object.keys(answersByText).map(message => new Error(message)),
      new ConnectionAcquireTimeoutError(new Error('Operation timeout')),
    ].map(error => classifyError(error).key)
    expect(errorTable.map(({ key }) => key).filter(key => !covered.includes(key))).toEqual([])
  })
})

describe('an error that is not in the table', () => {
  it('is permanent and keeps the connection when the statement alone failed', () => {
    expect(classifyError(inStatement(fromServer('0A000')))).toMatchObject({
      key: 'unknown',
      code: '0A000',
      transient: false,
      connection: 'keep',
      replay: 'no',
      outage: false,
    })
  })

  it.each(['FATAL', 'PANIC'])('drops the connection when it is %s', severity => {
    expect(classifyError(fromServer('99999', 'unheard of', severity)).connection).toBe('drop')
  })

  it('drops the connection when the driver gave no code', () => {
    expect(classifyError(inStatement(new Error('unheard of')))).toMatchObject({ key: 'unknown', code: undefined, connection: 'drop', replay: 'no' })
    expect(classifyError(fromSystem('EUNHEARDOF', 'read'))).toMatchObject({ key: 'unknown', code: 'EUNHEARDOF', connection: 'drop', replay: 'no' })
  })

  it.each([new TypeError('x is not a function'), new ValidationError('not valid', []), 'a text', undefined, null, 42])(
    'leaves the connection alone when it is no error of the driver: %s',
    error => {
      expect(classifyError(error)).toMatchObject({ key: 'unknown', transient: false, connection: 'keep', replay: 'no' })
    },
  )
})

describe('FATAL', () => {
  it('drops a connection that the row would keep', () => {
    expect(classifyError(fromServer('3D000', 'no such database', 'FATAL'))).toMatchObject({ key: '3D000', connection: 'drop' })
    expect(classifyError(fromServer('53200', 'out of memory', 'FATAL'))).toMatchObject({ key: '53200', connection: 'drop', transient: true })
  })

  it('drops nothing where there was no connection', () => {
    expect(classifyError(fromServer('53300', 'too many clients', 'FATAL')).connection).toBe('none')
  })
})

describe('a wrapped error', () => {
  const root = fromServer('40001')

  it.each([
    ['original', errorWith('outer', { original: root })],
    ['parent', errorWith('outer', { parent: root })],
    ['cause', new Error('outer', { cause: root })],
    ['an AggregateError', new AggregateError([root], 'outer')],
    ['an object that is no Error', { original: { parent: { cause: root } } }],
    ['the error class of an application', errorWith('outer', { code: 'database-unavailable', cause: inStatement(root) })],
  ])('is found under %s', (_name, error) => {
    expect(classifyError(error)).toMatchObject({ key: '40001', code: '40001', replay: 'transaction' })
  })

  it('decides before the one that was made from it', () => {
    expect(classifyError(errorWith('outer', { code: '25P02', severity: 'ERROR', cause: root })).key).toBe('40001')
  })

  it('is told by the outermost words when there are only words', () => {
    const error = new Error('Connection terminated due to connection timeout', { cause: new Error('Connection terminated unexpectedly') })
    expect(classifyError(error).key).toBe('text:connect-timeout')
  })

  it('is told by its SQLSTATE before its errno, and by that before its text', () => {
    expect(classifyError(errorWith('Query read timeout', { code: 'ECONNRESET', cause: root })).key).toBe('40001')
    expect(classifyError(errorWith('Query read timeout', { code: 'ECONNRESET' })).key).toBe('ECONNRESET')
  })

  it('is the first of several attempts to connect', () => {
    const error = errorWith('', { code: 'ECONNREFUSED', errors: [fromSystem('ECONNREFUSED'), fromSystem('ENETUNREACH')] })
    expect(classifyError(new ConnectionError(error)).key).toBe('ECONNREFUSED')
  })

  it('may wrap itself', () => {
    const error = errorWith('round')
    expect(classifyError(Object.assign(error, { cause: error, original: error })).key).toBe('unknown')
  })

  it('takes EPIPE for no SQLSTATE although it has the form of one', () => {
    expect(classifyError(fromSystem('EPIPE', 'write')).key).toBe('EPIPE')
  })
})

describe('classifyError', () => {
  const throwing = fc.constant(
    Object.defineProperty({}, 'code', {
      get() {
        throw new Error('a getter that throws')
      },
    }),
  )
  const fieldNames = fc.constantFrom('code', 'message', 'severity', 'original', 'parent', 'cause', 'errors', 'name', 'syscall')
  const hostile = fc.oneof(fc.anything(), throwing, fc.dictionary(fieldNames, fc.anything()))

  it('never throws', () => {
    const connections = ['keep', 'drop', 'rebuild', 'none']
    fc.assert(
      fc.property(hostile, fc.dictionary(fieldNames, hostile), (value, fields) => {
        for (const error of [value, fields, errorWith('', { cause: value })]) {
          expect(connections).toContain(classifyError(error).connection)
          errorCode(error)
          violatedUniqueConstraint(error)
        }
      }),
    )
  })

  it('survives errors that are wrapped without end', () => {
    let error: Error = fromServer('40001')
    for (let depth = 0; depth < 100_000; depth += 1) error = new Error('outer', { cause: error })
    expect(classifyError(error).key).toBe('unknown')
  })
})

describe('errorCode', () => {
  it.each([
    ['40001', inStatement(fromServer('40001'))],
    ['ECONNREFUSED', new ConnectionError(fromSystem('ECONNREFUSED'))],
    ['database-unavailable', errorWith('away', { code: 'database-unavailable', cause: fromServer('57P01') })],
    [undefined, new Error('no code')],
    [undefined, errorWith('a number', { code: 7 })],
    [undefined, { code: '40001' }],
  ])('gives %s', (code, error) => {
    expect(errorCode(error)).toBe(code)
  })
})

describe('violatedUniqueConstraint', () => {
  const violation = fromServer('23505')
  const named = Object.assign(fromServer('23505'), { constraint: 'users_email_key', sql: '' })

  it.each([
    ['users_email_key', new UniqueConstraintError({ parent: named })],
    ['users_email_key', inStatement(named)],
    [undefined, violation],
    [undefined, Object.assign(fromServer('23503'), { constraint: 'users_fk' })],
    [undefined, 'users_email_key'],
  ])('gives %s', (constraint, error) => {
    expect(violatedUniqueConstraint(error)).toBe(constraint)
  })
})
