import { expect, it } from 'vitest'
import { withStage } from './stage.ts'

it.each(['before', 'after'] as const)('gives the result of a snapshot whose COMMIT is cut %s it arrives', async when => {
  await withStage(async ({ sequelize, proxy, database }) => {
    await database.query("INSERT INTO notes VALUES ('a')")
    const fault = proxy.addFault({ on: 'statement', matches: 'COMMIT', when, action: 'reset' })
    const read = sequelize.execute('notes', ({ query }) => query('SELECT text FROM notes'), { mode: 'read', snapshot: true })
    expect(await read).toEqual([{ text: 'a' }])
    expect(fault.fired()).toBe(1)
  })
})
