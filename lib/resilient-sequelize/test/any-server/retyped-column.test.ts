import { describe, expect, it } from 'vitest'
import { withStage } from './stage.ts'

// A warm connection keeps its statements parsed, with the types that their values had then.

const SEEN = 4
const CONNECTIONS = 4

describe('a statement of a warm connection', () => {
  it.each([
    ['a read', 'SELECT count(*)::int FROM notes WHERE text = $text', { mode: 'read' }],
    ['a snapshot', 'SELECT count(*)::int FROM notes WHERE text = $text', { mode: 'read', snapshot: true }],
    ['an insert', 'INSERT INTO notes (text) VALUES ($text)', {}],
    ['an update', 'UPDATE notes SET text = $text WHERE text = $text', {}],
    ['a statement that returns its rows', 'INSERT INTO notes (text) VALUES ($text) RETURNING *', {}],
  ] as const)('fits a column that got another type: %s', async (_what, text, options) => {
    await withStage(async ({ sequelize, database }) => {
      const run = () => sequelize.execute('notes', ({ query }) => query(text, { text: '1' }), options)
      for (let call = 0; call < SEEN; call += 1) await run()
      await database.query('ALTER TABLE notes ALTER text TYPE int USING text::int')
      for (let call = 0; call < SEEN; call += 1) await run()
      const [found] = await database.query<{ count: number }>('SELECT count(*)::int AS count FROM notes')
      expect(found?.count).toBe(text.startsWith('INSERT') ? 2 * SEEN : 0)
    })
  })

  it.each([
    ['a read', 'SELECT count(*)::int FROM notes WHERE text = $text', { mode: 'read' }],
    ['a unit', 'SELECT * FROM notes WHERE text = $text', {}],
  ] as const)('fits it on each connection of a pool: %s', async (_what, text, options) => {
    await withStage(
      async ({ sequelize, database }) => {
        const one = () => sequelize.execute('notes', ({ query }) => query(text, { text: '1' }), options)
        const onAll = () => Promise.all(Array.from({ length: CONNECTIONS }, one))
        for (let call = 0; call < SEEN; call += 1) await onAll()
        await database.query('ALTER TABLE notes ALTER text TYPE int USING text::int')
        for (let call = 0; call < CONNECTIONS; call += 1) await one()
        expect(await onAll()).toHaveLength(CONNECTIONS)
      },
      { pool: { max: CONNECTIONS } },
    )
  })

  it('fits a table that was made anew', async () => {
    await withStage(async ({ sequelize, database }) => {
      const run = () => sequelize.execute('notes', ({ query }) => query('INSERT INTO notes (text) VALUES ($text)', { text: '1' }))
      for (let call = 0; call < SEEN; call += 1) await run()
      await database.query('DROP TABLE notes; CREATE TABLE notes (id int GENERATED ALWAYS AS IDENTITY, text bigint)')
      for (let call = 0; call < SEEN; call += 1) await run()
      expect(await database.query('SELECT text FROM notes')).toHaveLength(SEEN)
    })
  })

  it('is tried once more when its text is wrong from then on', async () => {
    await withStage(async ({ sequelize, database }) => {
      let tries = 0
      const run = () =>
        sequelize.execute('notes', ({ query }) => {
          tries += 1
          return query('SELECT count(*) FROM notes WHERE text = $text', { text: '1' })
        })
      for (let call = 0; call < SEEN; call += 1) await run()
      await database.query('ALTER TABLE notes RENAME text TO content')
      tries = 0
      for (let call = 0; call < 2; call += 1) await expect(run()).rejects.toMatchObject({ original: { code: '42703' } })
      expect(tries).toBe(3)
    })
  })

  it('is not tried again for an error of its own', async () => {
    await withStage(async ({ sequelize, database }) => {
      await database.query("CREATE FUNCTION refuse(text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN nowhere.nothing($1); END'")
      let tries = 0
      const run = (text: string) =>
        sequelize.execute('notes', ({ query }) => {
          tries += 1
          return query("SELECT CASE WHEN $text <> 'ok' THEN refuse($text) END", { text })
        })
      for (let call = 0; call < SEEN; call += 1) await run('ok')
      tries = 0
      await expect(run('no')).rejects.toMatchObject({ original: { code: '3F000' } })
      expect(tries).toBe(1)
    })
  })
})
