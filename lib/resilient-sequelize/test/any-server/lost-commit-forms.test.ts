import { expect, it } from 'vitest'
import { withStage, type Stage } from './stage.ts'

// The answer to COMMIT is lost: what was written decides, in whatever form it was sent.

type Insert = (stage: Stage) => Promise<unknown>

const SETS_FIRST = "SET LOCAL lock_timeout = 5000; INSERT INTO notes VALUES ('a')"
const FORMS: readonly (readonly [name: string, insert: Insert])[] = [
  [
    'a transaction that sets a limit in the text of its insert',
    ({ sequelize }) => sequelize.transaction(transaction => sequelize.query(SETS_FIRST, { transaction })),
  ],
  [
    'a unit that has read before such a text',
    ({ sequelize }) =>
      sequelize.execute('note', async ({ query }) => {
        await query('SELECT 1')
        await query(SETS_FIRST)
      }),
  ],
]
const ALONE: readonly (readonly [name: string, text: string])[] = [
  ['an insert behind a comment', "/* route: a */ INSERT INTO notes VALUES ('a')"],
  ['an insert with a semicolon in a value', "INSERT INTO notes SELECT 'a' WHERE ';' <> ''"],
]

it.each(FORMS)('never confirms what the server did not commit: %s', async (_name, insert) => {
  await withStage(async stage => {
    const fault = stage.proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'before', action: 'reset' })
    const confirmed = await insert(stage).then(
      () => true,
      () => false,
    )
    expect(fault.fired()).toBe(1)
    expect(await stage.texts()).toEqual(confirmed ? ['a'] : [])
  })
})

it.each(FORMS)('confirms what the server has committed: %s', async (_name, insert) => {
  await withStage(async stage => {
    const fault = stage.proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'after', action: 'reset' })
    await insert(stage)
    expect(fault.fired()).toBe(1)
    expect(await stage.texts()).toEqual(['a'])
  })
})

it.each(ALONE)('decides %s by its id', async (_name, text) => {
  await withStage(async stage => {
    const fault = stage.proxy.addFault({ on: 'statement', matches: /INSERT/, when: 'after', action: 'reset' })
    const code = await stage.sequelize.query(text).then(
      () => 'ok',
      (error: { code: string }) => error.code,
    )
    expect(['ok', 'result-lost']).toContain(code)
    expect(fault.fired()).toBe(1)
    expect(await stage.texts()).toEqual(['a'])
  })
})
