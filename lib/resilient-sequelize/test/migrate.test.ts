import { describe, expect, it } from 'vitest'
import { withDatabase, type TestDatabase } from '../../functions-devkit/test/support/database.ts'
import { openDeadline } from '../../invocation/src/deadline.ts'
import { runWithDeadline } from '../../invocation/src/deadline-scope.ts'
import { migrate, ResilientSequelize, type Migration } from '../src/index.ts'
import { digestOf } from '../src/migrate/digest.ts'

const migration = (name: string, ...statements: string[]): Migration => ({
  name,
  async up({ query }) {
    for (const statement of statements) await query(statement)
  },
})

const createNotes = migration('01-notes', 'CREATE TABLE notes (id int PRIMARY KEY)')
const addText = migration('02-text', 'ALTER TABLE notes ADD COLUMN body text', "INSERT INTO notes VALUES (1, 'first')")
const addTags = migration('03-tags', 'CREATE TABLE tags (note int REFERENCES notes)')
const indexNotes: Migration = { ...migration('04-index', 'CREATE INDEX CONCURRENTLY notes_by_body ON notes (body)'), transaction: false }
const all = [createNotes, addText, addTags, indexNotes]
const namesOf = (migrations: readonly Migration[]) => migrations.map(({ name }) => name)

/** Runs a test with an empty database and instances that are closed before it is dropped. */
async function withInstances(work: (open: () => ResilientSequelize, database: TestDatabase) => Promise<void>): Promise<void> {
  await withDatabase(
    async database => {
      const opened: ResilientSequelize[] = []
      const open = () => {
        const instance = new ResilientSequelize(database.url, { logging: false })
        opened.push(instance)
        return instance
      }
      try {
        await work(open, database)
      } finally {
        await Promise.all(opened.map(instance => instance.close()))
      }
    },
    { empty: true },
  )
}

const recorded = (database: TestDatabase) =>
  database.query<{ name: string; digest: string | null }>('SELECT name, digest FROM schema_migrations ORDER BY applied_at, name')
const tablesOf = async (database: TestDatabase) =>
  (await database.query<{ name: string }>("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")).map(({ name }) => name)

describe('migrate', () => {
  it.each([
    ['off', 'on'],
    ['local', 'on'],
    ['remote_apply', 'remote_apply'],
  ])('commits under synchronous_commit %s as under %s', async (given, level) => {
    await withInstances(async (open, database) => {
      await database.query(`ALTER DATABASE ${database.name} SET synchronous_commit TO ${given}`)
      const seen = migration('01-seen', "CREATE TABLE seen AS SELECT current_setting('synchronous_commit') AS level")
      await migrate({ sequelize: open(), migrations: [seen] })
      expect(await database.query('SELECT level FROM seen')).toEqual([{ level }])
    })
  })

  it('applies all migrations in order and records them', async () => {
    await withInstances(async (open, database) => {
      const sequelize = open()
      expect(await migrate({ sequelize, migrations: all })).toEqual({ applied: namesOf(all), alreadyApplied: 0 })
      const digests = await Promise.all(all.map(digestOf))
      expect(await recorded(database)).toEqual(all.map(({ name }, index) => ({ name, digest: digests[index] })))
      expect(new Set(digests).size).toBe(all.length)
      const [rows] = await sequelize.query('SELECT body FROM notes')
      expect(rows).toEqual([{ body: 'first' }])
      expect(await database.query("SELECT indexname FROM pg_indexes WHERE indexname = 'notes_by_body'")).toHaveLength(1)
    })
  })

  it('applies nothing the second time', async () => {
    await withInstances(async (open, database) => {
      const sequelize = open()
      await migrate({ sequelize, migrations: all })
      const before = await database.query('SELECT name, applied_at FROM schema_migrations ORDER BY name')
      expect(await migrate({ sequelize, migrations: all })).toEqual({ applied: [], alreadyApplied: all.length })
      expect(await migrate({ sequelize: open(), migrations: all })).toEqual({ applied: [], alreadyApplied: all.length })
      expect(await database.query('SELECT name, applied_at FROM schema_migrations ORDER BY name')).toEqual(before)
    })
  })

  it('applies only pending migrations', async () => {
    await withInstances(async open => {
      const sequelize = open()
      await migrate({ sequelize, migrations: [createNotes, addText] })
      expect(await migrate({ sequelize, migrations: all })).toEqual({ applied: ['03-tags', '04-index'], alreadyApplied: 2 })
    })
  })

  it('names a failing migration and rolls it back', async () => {
    await withInstances(async (open, database) => {
      const sequelize = open()
      const failing = migration('02-broken', 'CREATE TABLE halves (id int)', 'SELECT 1 / 0')
      const migrations = [createNotes, failing, addTags]
      await expect(migrate({ sequelize, migrations })).rejects.toMatchObject({
        code: 'migration-failed',
        message: expect.stringContaining('02-broken') as unknown,
        cause: { code: '22012' },
      })
      expect(await tablesOf(database)).toEqual(['notes', 'schema_migrations'])
      expect((await recorded(database)).map(({ name }) => name)).toEqual(['01-notes'])
      const repaired = migration('02-broken', 'CREATE TABLE halves (id int)')
      expect(await migrate({ sequelize, migrations: [createNotes, repaired, addTags] })).toEqual({
        applied: ['02-broken', '03-tags'],
        alreadyApplied: 1,
      })
    })
  })

  it('does not record a failing migration outside a transaction', async () => {
    await withInstances(async (open, database) => {
      const failing: Migration = { ...migration('02-outside', 'CREATE TABLE halves (id int)', 'SELECT 1 / 0'), transaction: false }
      await expect(migrate({ sequelize: open(), migrations: [createNotes, failing] })).rejects.toMatchObject({ code: 'migration-failed' })
      expect(await tablesOf(database)).toEqual(['halves', 'notes', 'schema_migrations'])
      expect((await recorded(database)).map(({ name }) => name)).toEqual(['01-notes'])
    })
  })

  it('refuses breaking migrations unless they are allowed', async () => {
    await withInstances(async (open, database) => {
      const sequelize = open()
      const breaking: Migration = { ...migration('05-drop', 'DROP TABLE tags'), breaking: true }
      const migrations = [...all, breaking]
      await migrate({ sequelize, migrations: [createNotes, addText] })
      await expect(migrate({ sequelize, migrations })).rejects.toMatchObject({ code: 'migration-breaking', details: { migrations: ['05-drop'] } })
      expect((await recorded(database)).map(({ name }) => name)).toEqual(['01-notes', '02-text'])
      expect(await migrate({ sequelize, migrations, allowBreaking: true })).toEqual({
        applied: ['03-tags', '04-index', '05-drop'],
        alreadyApplied: 2,
      })
    })
  })

  it('applies breaking migrations to an empty database', async () => {
    await withInstances(async open => {
      const migrations: Migration[] = [createNotes, { ...migration('02-drop', 'DROP TABLE notes'), breaking: true }]
      expect(await migrate({ sequelize: open(), migrations })).toEqual({ applied: ['01-notes', '02-drop'], alreadyApplied: 0 })
    })
  })

  it('applies each migration once when several calls run at once', async () => {
    await withInstances(async (open, database) => {
      const slow = migration('00-slow', 'CREATE TABLE slow (id int)', 'SELECT pg_sleep(0.3)')
      const migrations = [slow, ...all]
      const shared = open()
      const results = await Promise.all([shared, shared, open()].map(sequelize => migrate({ sequelize, migrations })))
      expect(results.map(({ applied }) => applied.length).sort()).toEqual([0, 0, migrations.length])
      expect((await recorded(database)).map(({ name }) => name)).toEqual(namesOf(migrations))
    })
  })

  it('gives up at the deadline while another process migrates', async () => {
    await withInstances(async (open, database) => {
      // The lock of apply-migrations.ts.
      await database.query('SELECT pg_advisory_lock(7126001)')
      const deadline = openDeadline({ remainingMs: 600, reserveMs: 0 })
      const call = runWithDeadline(deadline, () => migrate({ sequelize: open(), migrations: all }))
      await expect(call).rejects.toMatchObject({ code: 'deadline-exceeded' })
      expect(await tablesOf(database)).toEqual([])
    })
  })

  it('leaves the pool usable and within its size', async () => {
    await withInstances(async open => {
      const sequelize = open()
      await sequelize.query('SELECT 1')
      await sequelize.execute('within a unit', async ({ query }) => {
        await query('SELECT 1')
        await migrate({ sequelize, migrations: [createNotes] })
      })
      expect(sequelize.getConnectionStatus().pool).toMatchObject({ size: 1, inUse: 0 })
    })
  })
})
