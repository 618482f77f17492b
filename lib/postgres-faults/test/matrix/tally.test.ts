import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { blindReplay, hastyAnswer, hastyRefusal, noAnswer } from '../../src/matrix/broken/services.ts'
import { observe } from '../../src/matrix/call.ts'
import { runCell } from '../../src/matrix/cell.ts'
import { type Row } from '../../src/matrix/row.ts'
import { commitAnswerLost, commitNeverArrives } from '../../src/matrix/rows/commit.ts'
import { hasPgBouncer } from '../../src/pgbouncer.ts'
import { type Tally } from '../../src/matrix/tally.ts'
import { perform, type Kind } from '../../src/matrix/workloads.ts'

const undisturbed: Row = { number: 0, fault: 'none', variants: ['none'], scenario: async ({ call }) => void (await call()) }
const reset = (row: Row): Row => ({ ...row, variants: ['reset'] })
const counted = ({ lost, twice, hung, backendsLeft }: Tally) => ({ lost, twice, hung, backendsLeft })
const runOnce = (row: Row, kind: Kind) => runCell(row, kind, { times: 1 })
const nothing = { lost: 0, twice: 0, hung: 0, backendsLeft: 0 }

describe.concurrent('the tally of the fault matrix', () => {
  it('counts twice what is replayed although its COMMIT was done', async () => {
    const tally = await runOnce({ ...reset(commitAnswerLost), substitute: ({ manager }) => blindReplay(manager) }, 'transaction')
    expect(counted(tally)).toEqual({ ...nothing, twice: 1 })
  })

  it('counts twice what is reported as failed although its COMMIT was done', async () => {
    const tally = await runOnce({ ...reset(commitAnswerLost), substitute: ({ manager }) => hastyRefusal(manager) }, 'write')
    expect(counted(tally)).toEqual({ ...nothing, twice: 1 })
  })

  it('counts as lost what is reported before its COMMIT has arrived', async () => {
    const tally = await runOnce({ ...reset(commitNeverArrives), substitute: ({ manager }) => hastyAnswer(manager) }, 'write')
    expect(counted(tally)).toEqual({ ...nothing, lost: 1 })
  })

  it('counts twice what two containers do of one claimed order', async () => {
    const both = (claimed: boolean): Row => ({
      ...undisturbed,
      async scenario({ call, service, record, kind }) {
        const order = { kind, operation: 'claimed_by_two', claimed: true }
        await call(order)
        record(await observe(order, 3_000, () => perform(service, { ...order, claimed })))
      },
    })
    expect(await runOnce(both(true), 'logged')).toMatchObject({ ...nothing, ok: 2, findings: [] })
    expect(counted(await runOnce(both(false), 'logged'))).toEqual({ ...nothing, twice: 2 })
  })

  it('believes an error of a claimed order that another container has applied', async () => {
    const refused: Row = {
      ...undisturbed,
      async scenario({ call, record, kind }) {
        const order = { kind, operation: 'claimed_elsewhere', claimed: true }
        await call(order)
        record({ order, outcome: { kind: 'error', code: 'deadline-exceeded', coded: true, because: '' }, ms: 0, lateMs: 0 })
      },
    }
    expect(await runOnce({ ...refused, codes: ['deadline-exceeded'] }, 'transaction')).toMatchObject({ ...nothing, calls: 2, findings: [] })
  })

  it("tells the server's refusal of a statement by its SQLSTATE", async () => {
    const refused = (codes: readonly string[]): Row => ({
      ...undisturbed,
      codes,
      scenario: async ({ call }) => void (await call({ extra: async work => void (await work.query('SELECT 1 / 0')) })),
    })
    expect(await runOnce(refused(['22012']), 'write')).toMatchObject({ uncoded: 0, errors: new Map([['22012', 1]]), findings: [] })
    expect(await runOnce(refused([]), 'write')).toMatchObject({ findings: [expect.stringContaining('unexpected') as string] })
  })

  it('counts as gone what a fault takes away after it was confirmed', async () => {
    const takeAway = (mayBeGone: boolean): Row => ({
      ...undisturbed,
      async scenario({ call, database }) {
        await call({ mayBeGone })
        await database.query('DELETE FROM effects')
      },
    })
    expect(await runOnce(takeAway(true), 'write')).toMatchObject({ ok: 1, lost: 0, gone: 1, findings: [] })
    expect(await runOnce(takeAway(false), 'write')).toMatchObject({ ok: 1, lost: 1, gone: 0 })
  })

  it('counts as hung what does not answer by its deadline', async () => {
    const tally = await runOnce({ ...undisturbed, deadlineMs: 100, substitute: () => noAnswer }, 'write')
    expect(counted(tally)).toEqual({ ...nothing, hung: 1 })
  })

  it('counts as lost a read that finds another row', async () => {
    const wrong: Row = {
      ...undisturbed,
      scenario: async ({ call, database }) => void (await database.query('UPDATE seeds SET value = id'), await call()),
    }
    expect(counted(await runOnce(wrong, 'read'))).toEqual({ ...nothing, lost: 1 })
  })

  it('counts sessions that nobody ends', async () => {
    const opened: pg.Client[] = []
    const leak: Row = {
      ...undisturbed,
      async scenario({ database, environment, applicationName }) {
        const { DB_PASSWORD: password, DB_USER: user } = environment
        const { host, port } = database.server
        const client = new pg.Client({ host, port, user, password, database: database.name, application_name: applicationName })
        client.on('error', () => undefined)
        opened.push(client)
        await client.connect()
      },
    }
    expect(counted(await runOnce(leak, 'read'))).toEqual({ ...nothing, backendsLeft: 1 })
    await Promise.all(opened.map(client => client.end()))
  })

  it.skipIf(!hasPgBouncer())("counts a pooler's client that nobody ends, and the transaction that it holds", async () => {
    const opened: pg.Client[] = []
    const leak: Row = {
      ...undisturbed,
      async scenario({ environment, applicationName, call }) {
        await call()
        const { DB_HOST: host, DB_PORT: port, DB_NAME: database, DB_USER: user, DB_PASSWORD: password, DB_CA_CERT: ca } = environment
        const address = { host, port: Number(port), user, password, database, ssl: { ca } } as pg.ClientConfig
        const client = new pg.Client({ ...address, application_name: applicationName })
        client.on('error', () => undefined)
        opened.push(client)
        await client.connect()
        await client.query('BEGIN')
      },
    }
    expect(counted(await runCell(leak, 'read', { through: 'pooler', times: 1 }))).toEqual({ ...nothing, backendsLeft: 2 })
    await Promise.all(opened.map(client => client.end()))
  })

  it('lists an error that the row does not allow', async () => {
    const tally = await runOnce({ ...undisturbed, substitute: () => ({ ...noAnswer, execute: () => Promise.reject(new Error('no')) }) }, 'read')
    expect(tally).toMatchObject({ calls: 1, ok: 0, uncoded: 1, findings: [expect.stringContaining('unexpected') as string] })
  })
})
