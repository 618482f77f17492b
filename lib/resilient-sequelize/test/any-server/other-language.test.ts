import pg from 'pg'
import { ForeignKeyConstraintError } from 'sequelize'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ResilientSequelize } from '../../src/index.ts'
import {
  LANGUAGES,
  messagesIn,
  startTranslatedPostgres,
  translatedPostgres,
  type Language,
} from '../../../functions-devkit/test/support/translated-postgres.ts'
import type { InstalledServer } from '../../../functions-devkit/test/support/installed-postgres.ts'

// The server translates its messages and the severity ERROR, in some languages FATAL as well.

const bin = translatedPostgres()
let server: InstalledServer

interface Stage {
  readonly sequelize: ResilientSequelize
  /** Runs a statement of another client, whose errors are in English. */
  other<Row extends object>(text: string): Promise<Row[]>
}

let databases = 0

async function withStage(language: Language, work: (stage: Stage) => Promise<void>): Promise<void> {
  databases += 1
  const name = `language_${databases}`
  const url = await server.database(name)
  const client = new pg.Client(url)
  await client.connect()
  const other = async <Row extends object>(text: string) => (await client.query<Row>(text)).rows
  await other(`ALTER DATABASE ${name} SET lc_messages = '${messagesIn(language)}'`)
  await other('CREATE TABLE notes (text text PRIMARY KEY, parent text REFERENCES notes DEFERRABLE INITIALLY DEFERRED)')
  const sequelize = new ResilientSequelize(url, { logging: false, pool: { max: 1 } })
  try {
    await work({ sequelize, other })
  } finally {
    await sequelize.gracefulShutdown()
    await client.end()
  }
}

const severityOf = (error: unknown) => (error as { original?: { severity?: string } }).original?.severity
const texts = async ({ other }: Stage) => (await other<{ text: string }>('SELECT text FROM notes ORDER BY text')).map(({ text }) => text)

describe.skipIf(bin === undefined)('on a server that speaks another language', () => {
  beforeAll(async () => {
    server = await startTranslatedPostgres(bin ?? '')
  })
  afterAll(() => server.destroy())

  describe.each(LANGUAGES)('%s', language => {
    it('severity ERROR is translated', async () => {
      await withStage(language, async ({ sequelize }) => {
        const error: unknown = await sequelize.query('SELECT 1 / 0').catch((thrown: unknown) => thrown)
        expect(severityOf(error)).not.toBe('ERROR')
      })
    })

    it.each([
      ['a read', 'SELECT * FROM notes WHERE text = $text', { mode: 'read' }],
      ['a snapshot', 'SELECT * FROM notes WHERE text = $text', { mode: 'read', snapshot: true }],
      ['a unit', 'SELECT * FROM notes WHERE text = $text', {}],
      ['a unit that writes', 'INSERT INTO notes VALUES ($text) ON CONFLICT (text) DO UPDATE SET parent = NULL RETURNING *', {}],
    ] as const)('%s of a warm connection survives a retyped column', async (_what, text, options) => {
      await withStage(language, async stage => {
        const run = () => stage.sequelize.execute('notes', ({ query }) => query(text, { text: 'a' }), options)
        for (let call = 0; call < 4; call += 1) await run()
        await stage.other('ALTER TABLE notes DROP CONSTRAINT notes_parent_fkey, ALTER parent TYPE int USING 1')
        for (let call = 0; call < 4; call += 1) await run()
        expect(await texts(stage)).toEqual(text.startsWith('INSERT') ? ['a'] : [])
      })
    })

    it("a named statement of the application's own is a transient error", async () => {
      await withStage(language, async ({ sequelize, other }) => {
        const statement = { name: 'own', text: 'SELECT * FROM notes' }
        const run = () =>
          sequelize.execute('own', ({ transaction }) => (transaction as unknown as { connection: pg.Client }).connection.query(statement))
        await run()
        await other('ALTER TABLE notes ADD COLUMN more int')
        expect((await run()).rows).toEqual([])
      })
    })

    it('a COMMIT that is refused is no lost one', async () => {
      await withStage(language, async stage => {
        let tries = 0
        const unit = stage.sequelize.execute('late', async ({ query }) => {
          tries += 1
          await query("INSERT INTO notes VALUES ('a', 'missing')")
        })
        await expect(unit).rejects.toBeInstanceOf(ForeignKeyConstraintError)
        expect(tries).toBe(1)
        const transaction = stage.sequelize.transaction(async given => {
          await stage.sequelize.query("INSERT INTO notes VALUES ('a', 'missing')", { transaction: given })
        })
        await expect(transaction).rejects.toBeInstanceOf(ForeignKeyConstraintError)
        expect(await texts(stage)).toEqual([])
      })
    })

    it('a session ended in the middle of a statement is no refusal', async () => {
      await withStage(language, async stage => {
        let tries = 0
        await stage.sequelize.execute('ended', async ({ query }) => {
          tries += 1
          await query("INSERT INTO notes VALUES ('a')")
          const [session] = await query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
          const slow = query('SELECT pg_sleep($s)', { s: tries === 1 ? 60 : 0 })
          if (tries === 1) await stage.other(`SELECT pg_terminate_backend(${session?.pid})`)
          await slow
        })
        expect(tries).toBe(2)
        expect(await texts(stage)).toEqual(['a'])
      })
    })

    it.each([
      ['NOWAIT', "SELECT 1 FROM notes WHERE text = 'a' FOR UPDATE NOWAIT"],
      ['a limit of its own', "SET LOCAL lock_timeout = '10ms'; SELECT 1 FROM notes WHERE text = 'a' FOR UPDATE"],
    ])('a lock that %s does not wait for is an answer', async (_what, text) => {
      await withStage(language, async ({ sequelize, other }) => {
        await other("INSERT INTO notes VALUES ('a')")
        await other("BEGIN; UPDATE notes SET parent = NULL WHERE text = 'a'")
        let tries = 0
        const unit = sequelize.execute('lock', ({ query }) => ((tries += 1), query(text)))
        await expect(unit).rejects.toMatchObject({ original: { code: '55P03' } })
        expect(tries).toBe(1)
        await other('ROLLBACK')
      })
    })
  })
})
