import { describe, expect, it } from 'vitest'
import { OpenTransaction } from '../src/transaction/open-transaction.ts'
import type { GuardedClient, RawOptions } from '../src/wire/guarded-client.ts'
import { answerRaw } from './scripted-answers.ts'

const READ = { rows: [{ xid: null }] }
const WRITE = { rows: [{ xid: '7' }] }
const TERMINATED = Object.assign(new Error('terminating connection'), { severity: 'FATAL', code: '57P01' })

/** A transaction of as many statements as there are answers to the question for its identity. */
async function transaction(answers: readonly (object | Error)[]): Promise<OpenTransaction> {
  const left = [...answers]
  const client = {
    sendRaw: (_text: string, _values?: unknown, options?: RawOptions) => answerRaw(left.shift(), options),
    keepSession: () => undefined,
    pins: () => ({}),
  } as unknown as GuardedClient
  const ignore = () => undefined
  const subject = new OpenTransaction({
    deadline: undefined,
    proofMs: undefined,
    identity: 'tried',
    durable: false,
    pooled: false,
    onIdentity: ignore,
    onIdentityRefused: ignore,
    behindCommit: ignore,
  })
  subject.opened()
  for (let statement = 0; statement < answers.length; statement += 1) {
    subject.around(client, ignore)
    await subject.settled()
  }
  return subject
}

describe('a transaction', () => {
  it('has written nothing while it has no id', async () => {
    expect((await transaction([READ, READ])).wroteNothing).toBe(true)
    expect((await transaction([READ, WRITE])).wroteNothing).toBe(false)
  })

  it('may have written when its last id is not known', async () => {
    const subject = await transaction([READ, Object.assign(new Error('cancelled'), { severity: 'ERROR', code: '57014' })])
    expect(subject.wroteNothing).toBe(false)
  })

  it('is lost when its connection ends behind a successful write', async () => {
    const subject = await transaction([READ, TERMINATED])
    expect(subject.wroteNothing).toBe(false)
    expect(subject.isLost).toBe(true)
    expect(subject.firstError).toBe(TERMINATED)
  })
})
