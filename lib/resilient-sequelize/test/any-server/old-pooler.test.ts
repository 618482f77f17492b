import { describe, expect, it } from 'vitest'
import type { HangUp } from '../../../postgres-faults/src/proxy/faults.ts'
import { SAVEPOINT_RELEASE } from '../../../postgres-faults/src/own-statements.ts'
import { withStage, type Stage } from './stage.ts'

// PgBouncer up to 1.15 says ERROR where it hangs up. Only ReadyForQuery tells that the server refused and goes on.

const saying = (code: string, message: string): HangUp => ({ error: { severity: 'ERROR', code, message }, hangsUp: true })
const WORDS: readonly (readonly [name: string, action: HangUp])[] = [
  ['PgBouncer', saying('08P01', 'server conn crashed?')],
  ['a pooler with other codes', saying('58000', 'server connection lost')],
  ['a pooler that passes on a shutdown', saying('57P01', 'terminating connection due to administrator command')],
  ['a pooler that calls it a constraint', saying('23505', 'hung up')],
]

type Insert = (stage: Stage, text: string) => Promise<unknown>

const inUnit: Insert = ({ sequelize }, text) =>
  sequelize.execute('note', async ({ query }) => {
    await query('INSERT INTO notes VALUES ($text)', { text })
    return text
  })
const inTransaction: Insert = ({ sequelize }, text) =>
  sequelize.transaction(async transaction => {
    await sequelize.query('INSERT INTO notes VALUES ($text)', { bind: { text }, transaction })
    return text
  })
const alone: Insert = ({ sequelize }, text) => sequelize.query('INSERT INTO notes VALUES ($text)', { bind: { text } })

describe.each(WORDS)('%s hangs up with ERROR', (_name, action) => {
  it.each([
    ['a unit', inUnit],
    ['a transaction', inTransaction],
  ])('behind a COMMIT that was done: %s is stored once', async (_what, insert) => {
    await withStage(async stage => {
      const fault = stage.proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'after', action })
      expect(await insert(stage, 'a')).toBe('a')
      expect(fault.fired()).toBe(1)
      expect(await stage.texts()).toEqual(['a'])
    })
  })

  it('behind an insert that was done: it is stored once', async () => {
    await withStage(async stage => {
      const fault = stage.proxy.addFault({ on: 'statement', matches: /^INSERT/, when: 'after', action })
      const code = await alone(stage, 'a').then(
        () => 'ok',
        (error: { code: string }) => error.code,
      )
      expect(['ok', 'result-lost']).toContain(code)
      expect(fault.fired()).toBe(1)
      expect(await stage.texts()).toEqual(['a'])
    })
  })

  it.each([
    ['START TRANSACTION', /^START TRANSACTION/],
    ['the insert', /^INSERT/],
    ['COMMIT', 'COMMIT'],
  ])('before %s: the unit is stored once', async (_phase, matches) => {
    await withStage(async stage => {
      const fault = stage.proxy.addFault({ on: 'statement', matches, when: 'before', action })
      expect(await inUnit(stage, 'a')).toBe('a')
      expect(fault.fired()).toBe(1)
      expect(await stage.texts()).toEqual(['a'])
    })
  })

  it.each([
    ['START TRANSACTION', /^START TRANSACTION/],
    ['the insert', /^INSERT/],
    ['the savepoint', /^SAVEPOINT safe/],
    ['its end', SAVEPOINT_RELEASE],
  ])('behind %s: the unit is stored once', async (_phase, matches) => {
    await withStage(async stage => {
      const fault = stage.proxy.addFault({ on: 'statement', matches, when: 'after', action })
      await stage.sequelize.execute('note', async ({ query }) => {
        await query('INSERT INTO notes VALUES ($text)', { text: 'a' })
        await stage.sequelize.safeExecute(() => stage.sequelize.execute('log', work => work.query('SELECT 1')), {
          operationName: 'log',
          fallbackValue: undefined,
        })
      })
      expect(fault.fired()).toBe(1)
      expect(await stage.texts()).toEqual(['a'])
    })
  })

  it('behind the start of a transaction: it begins again', async () => {
    await withStage(async stage => {
      const fault = stage.proxy.addFault({ on: 'statement', matches: /^START TRANSACTION/, when: 'after', action })
      expect(await inTransaction(stage, 'a')).toBe('a')
      expect(fault.fired()).toBe(1)
      expect(await stage.texts()).toEqual(['a'])
    })
  })

  it('behind a read: it is read again', async () => {
    await withStage(async stage => {
      await alone(stage, 'a')
      const fault = stage.proxy.addFault({ on: 'statement', matches: /^SELECT text/, when: 'after', action })
      const [rows] = await stage.sequelize.query('SELECT text FROM notes')
      expect(rows).toEqual([{ text: 'a' }])
      expect(fault.fired()).toBe(1)
    })
  })
})
