import { Sequelize } from 'sequelize'
import { describe, expect, it } from 'vitest'
import { withDatabase, type TestDatabase } from '../../functions-devkit/test/support/database.ts'
import { migrate, ResilientSequelize, type Migration } from '../src/index.ts'
import { digestOf } from '../src/migrate/digest.ts'

const notes: Migration = {
  name: '01-notes',
  async up({ query }) {
    await query('CREATE TABLE notes (id int PRIMARY KEY, changed int NOT NULL DEFAULT 0)')
    await query('INSERT INTO notes VALUES (1)')
  },
}
const trigger: Migration = {
  name: '02-trigger',
  async up({ query, schema }) {
    await query("CREATE TYPE mood AS ENUM ('good')")
    await query(`CREATE TABLE log (mood ${schema}.mood)`)
    await query(
      `CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO ${schema}.log VALUES ('good'); RETURN new; END $$`,
    )
    await query('CREATE TRIGGER changed AFTER UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION note_change()')
  },
}
const index: Migration = {
  name: '03-index',
  transaction: false,
  async up({ query }) {
    await query('DROP INDEX CONCURRENTLY IF EXISTS notes_changed')
    await query('CREATE INDEX CONCURRENTLY notes_changed ON notes (changed)')
  },
}
const migrations = [notes, trigger, index]

async function withInstance(work: (sequelize: ResilientSequelize, database: TestDatabase) => Promise<void>): Promise<void> {
  await withDatabase(
    async database => {
      const sequelize = new ResilientSequelize(database.url, { logging: false })
      try {
        await work(sequelize, database)
      } finally {
        await sequelize.close()
      }
    },
    { empty: true },
  )
}

const searchPath = (database: TestDatabase, path: string) => database.query(`ALTER DATABASE "${database.name}" SET search_path TO ${path}`)
const placesOf = (database: TestDatabase) =>
  database.query<{ name: string }>(
    "SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'i') AND n.nspname !~ '^pg_|^information_schema' ORDER BY 1",
  )

describe('migrate with a schema', () => {
  it.each(['public', 'nowhere', '"$user"', 'theirs, public', "''"])('works in it alone when the search path is %s', async path => {
    await withInstance(async (sequelize, database) => {
      // Under the names of ours, so that a name that is found in the wrong place changes something here.
      await database.query(
        'CREATE SCHEMA theirs; CREATE TABLE theirs.notes (id int); CREATE TABLE theirs.log (id int); CREATE INDEX notes_changed ON theirs.notes (id); CREATE TABLE notes (id int); CREATE INDEX notes_changed ON notes (id)',
      )
      await searchPath(database, path)
      const before = await placesOf(database)
      expect(await migrate({ sequelize, migrations, schema: 'app' })).toMatchObject({ alreadyApplied: 0 })
      await database.query('UPDATE app.notes SET changed = 1')
      expect(await database.query('SELECT mood::text FROM app.log')).toEqual([{ mood: 'good' }])
      const places = await placesOf(database)
      expect(places).toEqual(expect.arrayContaining(before))
      const added = ['app.log', 'app.notes', 'app.notes_changed', 'app.notes_pkey', 'app.schema_migrations', 'app.schema_migrations_pkey']
      expect(places.map(({ name }) => name).filter(name => !before.some(one => one.name === name))).toEqual(added)
      expect(await migrate({ sequelize, migrations, schema: 'app' })).toEqual({ applied: [], alreadyApplied: 3 })
    })
  })

  it.each(['Weird Name', 'with"quote', 'select', "it's", 'back\\slash', 'ünïcode'])('quotes the name %s everywhere', async schema => {
    await withInstance(async (sequelize, database) => {
      expect(await migrate({ sequelize, migrations, schema })).toMatchObject({ alreadyApplied: 0 })
      expect(await migrate({ sequelize, migrations, schema })).toEqual({ applied: [], alreadyApplied: 3 })
      expect(await database.query('SELECT DISTINCT schemaname AS name FROM pg_tables WHERE tablename = $1', ['notes'])).toEqual([{ name: schema }])
    })
  })

  it('keeps two installations in one database apart', async () => {
    await withInstance(async (sequelize, database) => {
      for (const schema of ['one', 'two']) expect(await migrate({ sequelize, migrations, schema })).toMatchObject({ alreadyApplied: 0 })
      await database.query('UPDATE one.notes SET changed = 1')
      expect(await database.query('SELECT (SELECT count(*)::int FROM one.log) AS one, (SELECT count(*)::int FROM two.log) AS two')).toEqual([
        { one: 1, two: 0 },
      ])
    })
  })

  it.each(['', 'x'.repeat(64), 'pg_app', 'information_schema', 'a\0b', 5 as unknown as string])('is refused for the name %j', async schema => {
    const sequelize = new ResilientSequelize('postgres://user@localhost/app', { logging: false })
    const refusal = { code: 'invalid-options', message: expect.stringMatching(/^migrate: `schema` /) as unknown }
    await expect(migrate({ sequelize, migrations, schema })).rejects.toMatchObject(refusal)
  })

  it('names its option where others own a name', async () => {
    await withInstance(async (sequelize, database) => {
      await database.query('CREATE TABLE notes (mine int)')
      const told = expect.stringMatching(/table public\.notes.*pass its name as `schema`, in migrate\(\{ schema \}\)/) as unknown
      const refusal = migrate({ sequelize, migrations, schema: 'public' })
      await expect(refusal).rejects.toMatchObject({ code: 'names-taken', message: told })
      await expect(refusal).rejects.toMatchObject({ message: expect.not.stringContaining('DB_') as unknown })
    })
  })

  it('names its option where they were applied to another schema', async () => {
    await withInstance(async (sequelize, database) => {
      await migrate({ sequelize, migrations, schema: 'app' })
      await searchPath(database, 'app, public')
      const told = expect.stringMatching(/"app".*pass its name as `schema`, in migrate\(\{ schema \}\)/) as unknown
      await expect(migrate({ sequelize, migrations, schema: 'public' })).rejects.toMatchObject({ code: 'migrations-elsewhere', message: told })
    })
  })

  it('is refused for an instance of stock Sequelize', async () => {
    const sequelize = new Sequelize('postgres://user@localhost/app', { logging: false })
    await expect(migrate({ sequelize, migrations })).rejects.toThrow(/new ResilientSequelize\(/)
  })

  it('records the same digest whatever the schema is', async () => {
    await withInstance(async (sequelize, database) => {
      for (const schema of ['one', 'two']) await migrate({ sequelize, migrations, schema })
      const [one, two] = [
        await database.query('SELECT name, digest FROM one.schema_migrations ORDER BY 1'),
        await database.query('SELECT name, digest FROM two.schema_migrations ORDER BY 1'),
      ]
      expect(one).toEqual(two)
      expect(one).toEqual(await Promise.all(migrations.map(async each => ({ name: each.name, digest: await digestOf(each) }))))
    })
  })
})

describe('migrate without a schema', () => {
  it('works in the first schema of the search path, which stays as it is', async () => {
    await withInstance(async (sequelize, database) => {
      await database.query("CREATE SCHEMA app; CREATE SCHEMA shared; CREATE TYPE shared.colour AS ENUM ('red')")
      await searchPath(database, 'nowhere, app, shared')
      const painted: Migration = { name: '1', up: async ({ query }) => void (await query('CREATE TABLE painted (colour colour)')) }
      await migrate({ sequelize, migrations: [painted] })
      expect((await placesOf(database)).map(({ name }) => name)).toEqual(['app.painted', 'app.schema_migrations', 'app.schema_migrations_pkey'])
    })
  })

  it('is refused when the search path names no schema that exists', async () => {
    await withInstance(async (sequelize, database) => {
      await searchPath(database, 'nowhere')
      await expect(migrate({ sequelize, migrations })).rejects.toMatchObject({ code: 'schema-missing' })
    })
  })
})
