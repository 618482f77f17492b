import { describe, expect, it } from 'vitest'
import type { GuardedClient, RawOptions } from '../src/wire/guarded-client.ts'
import { answerRaw } from './scripted-answers.ts'
import { ManagedTransaction } from '../src/transaction/managed-transaction.ts'
import { noteAnswer, noteLastWords } from '../src/errors/is-refusal.ts'
import { openDeadline } from '../../invocation/src/deadline.ts'

const failure = (fields: { message?: string; severity?: string; code?: string }) => Object.assign(new Error(fields.message ?? 'no'), fields)

/** The server says that it is ready behind the error. */
const goingOn = (error: Error) => (noteAnswer(error), error)
/** The connection ends behind the error. */
const hangingUp = (error: Error) => (noteLastWords(error), error)

/** A transaction of one statement on a server that answers COMMIT and ROLLBACK so. */
function transaction({ commit = { command: 'COMMIT' }, status = 'I', now }: { commit?: object; status?: string; now?: () => number } = {}) {
  const answers: Readonly<Record<string, object>> = { COMMIT: commit, ROLLBACK: { command: 'ROLLBACK' } }
  const client = {
    sendRaw: (text: string, _values?: unknown, options?: RawOptions) => answerRaw(answers[text] ?? { rows: [{ xid: '7' }] }, options),
    getTransactionStatus: () => status,
    pipeline: true,
    keepLimits: () => undefined,
    pins: () => ({}),
  } as unknown as GuardedClient
  const deadline = openDeadline({ remainingMs: 1_000, reserveMs: 0, ...(now ? { now } : {}) })
  deadline.clear()
  const subject = new ManagedTransaction({ client, deadline, identified: true, statementMs: () => deadline.remainingMs() })
  subject.around(client, () => undefined)
  return subject
}

describe('a COMMIT that fails', () => {
  it.each([
    ['is refused by a server that goes on', goingOn(failure({ severity: 'ERROR', code: '23503' })), false],
    ['is refused in the words of another language', goingOn(failure({ severity: 'FEHLER', code: 'P0001' })), false],
    ['is refused by a server that hangs up', hangingUp(failure({ severity: 'ERROR', code: '23503' })), true],
    ['meets a pooler that goes on', goingOn(failure({ severity: 'ERROR', code: '08P01' })), true],
    ['is cut off in the words of another language', hangingUp(failure({ severity: 'ВАЖНО', code: '57P01' })), true],
    ['meets a full disk in the words of another language', hangingUp(failure({ severity: 'PANIK', code: '53100' })), true],
    ['was never sent', failure({ message: 'Client has encountered a connection error and is not queryable' }), false],
    ['is cut off by a server that goes away', failure({ severity: 'FATAL', code: '57P01' }), true],
    ['loses its connection', failure({ message: 'Connection terminated unexpectedly' }), true],
    ['has no answer in time', failure({ message: 'Query read timeout' }), true],
  ])('since it %s', async (_how, error, mayBeCommitted) => {
    const subject = transaction({ commit: error })
    await expect(subject.commit()).rejects.toBe(error)
    expect(subject.mayBeCommitted).toBe(mayBeCommitted)
    expect(subject.wroteNothing).toBe(false)
  })

  it('is told apart from one that the server answers with ROLLBACK', async () => {
    const subject = transaction({ commit: { command: 'ROLLBACK' } })
    await expect(subject.commit()).rejects.toMatchObject({ code: 'transaction-rolled-back' })
    expect(subject.mayBeCommitted).toBe(false)
  })
})

it('commits nothing when too little time is left to hear of it', async () => {
  let at = Date.UTC(2026, 10, 24)
  const subject = transaction({ now: () => at })
  at += 750
  await expect(subject.commit()).rejects.toMatchObject({ code: 'deadline-exceeded' })
  expect(subject.mayBeCommitted).toBe(false)
})

it('asks for no COMMIT over a connection that is known to be gone', async () => {
  const subject = transaction()
  const gone = failure({ message: 'Connection terminated unexpectedly' })
  subject.failed(gone)
  await expect(subject.commit()).rejects.toBe(gone)
  expect(subject.mayBeCommitted).toBe(false)
})

describe('a rollback', () => {
  it.each([
    ['I', true],
    ['T', false],
    ['E', false],
  ])('that leaves the connection in status %s makes it clean: %s', async (status, clean) => {
    expect(await transaction({ status }).rollBack()).toBe(clean)
  })
})

it('is lost when its connection ends behind a write in a savepoint', async () => {
  const gone = failure({ severity: 'FATAL', code: '57P01' })
  const answers: (object | Error)[] = [{}, { rows: [{ xid: null }] }, gone]
  const client = {
    guard: undefined,
    keepSession: () => undefined,
    keepLimits: () => undefined,
    pins: () => ({}),
    pipeline: true,
    sendRaw: (_text: string, _values?: unknown, options?: RawOptions) => answerRaw(answers.shift(), options),
  } as unknown as GuardedClient
  const deadline = openDeadline({ remainingMs: 1_000, reserveMs: 0 })
  deadline.clear()
  const subject = new ManagedTransaction({ client, deadline, identified: true, statementMs: () => deadline.remainingMs() })
  for (let statement = 0; statement < 2; statement += 1) {
    subject.around(client, () => undefined)
    await subject.trailing()
  }
  await expect(subject.commit()).rejects.toBe(gone)
  expect(subject.mayBeCommitted).toBe(false)
})
