import { describe, expect, it } from 'vitest'
import { migrations } from '../../../functions-devkit/test/application/lib/app/migrations/index.ts'
import { migrationSettings } from '../../src/database/settings.ts'
import { applyMigrations } from '../../src/database/migrate.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import type { Migration } from '../../../resilient-sequelize/src/migrate/migration.ts'
import { dumpCatalog, dumpRows } from '../../../functions-devkit/test/support/catalog.ts'
import { withDatabase, type TestDatabase } from '../../../functions-devkit/test/support/database.ts'
import { environmentFor } from '../../../functions-devkit/test/support/functions.ts'

function up(database: TestDatabase, { schema = 'none', list = migrations }: { schema?: string; list?: readonly Migration[] } = {}) {
  const settings = migrationSettings.parse({ ...environmentFor(database), DB_SCHEMA: schema === 'none' ? undefined : schema }).value
  if (settings === undefined) throw new Error('the settings of the test are wrong')
  const deadline = openDeadline({ remainingMs: 20_000, reserveMs: 0 })
  return applyMigrations({ settings, deadline, migrations: list }).finally(() => deadline.clear())
}

function missing(): never {
  throw new Error('the test asks for something that is not there')
}

const names = migrations.map(({ name }) => name)
const withEmpty = (work: (database: TestDatabase) => Promise<void>) => withDatabase(work, { empty: true })
const migration = (name: string, ...statements: string[]): Migration => ({
  name,
  async up({ query }) {
    for (const statement of statements) await query(statement)
  },
})

/** What others own, the migrations that want it, and the names that are refused. */
const taken: readonly (readonly [what: string, sql: string, names: readonly string[], list: readonly Migration[]])[] = [
  [
    'the tables of an application',
    'CREATE TABLE users (id int); CREATE TABLE transactions (id int)',
    ['table public.transactions', 'table public.users'],
    migrations,
  ],
  ['schema_migrations of Rails', 'CREATE TABLE schema_migrations (version varchar PRIMARY KEY)', ['table public.schema_migrations'], migrations],
  [
    'schema_migrations of golang-migrate',
    'CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)',
    ['table public.schema_migrations'],
    migrations,
  ],
  [
    'schema_migrations with columns like ours',
    'CREATE TABLE schema_migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now(), digest text, by text)',
    ['table public.schema_migrations'],
    migrations,
  ],
  [
    'schema_migrations with our columns and rows of another tool',
    "CREATE TABLE schema_migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now()); INSERT INTO schema_migrations VALUES ('001_theirs.sql')",
    ['table public.schema_migrations'],
    migrations,
  ],
  [
    'a table that Unicode escapes name',
    'CREATE TABLE invoices (id int)',
    ['table public.invoices'],
    [migration('1', String.raw`CREATE TABLE IF NOT EXISTS U&"inv\006fices" (id int)`, 'ALTER TABLE invoices ADD a int')],
  ],
  [
    'a table that an explained statement names',
    'CREATE TABLE invoices (id int)',
    ['table public.invoices'],
    [
      migration(
        '1',
        'CREATE TABLE one (id int)',
        'EXPLAIN ANALYZE CREATE TABLE IF NOT EXISTS invoices AS SELECT 1 AS id',
        'ALTER TABLE invoices ADD a int',
      ),
    ],
  ],
  [
    'a table that SELECT INTO names',
    'CREATE TABLE invoices (id int)',
    ['table public.invoices'],
    [{ ...migration('1', 'CREATE TABLE one (id int)', 'SELECT 1 AS id INTO invoices'), transaction: false }],
  ],
  [
    'a table of the schema to which one moves',
    'CREATE SCHEMA archive; CREATE TABLE archive.invoices (id int)',
    ['table archive.invoices'],
    [{ ...migration('1', 'CREATE TABLE invoices (id int)', 'ALTER TABLE invoices SET SCHEMA archive'), transaction: false }],
  ],
  ['a view of that name', 'CREATE VIEW schema_migrations AS SELECT 1 AS name', ['table public.schema_migrations'], migrations],
  ['a view', 'CREATE VIEW transactions AS SELECT 1 AS a', ['view public.transactions'], migrations],
  ['a type', "CREATE TYPE activities AS ENUM ('a')", ['type public.activities'], migrations],
  ['a row type', 'CREATE TYPE users AS (a int)', ['type public.users'], migrations],
  ['a domain', 'CREATE DOMAIN webhook_events AS int', ['type public.webhook_events'], migrations],
  ['a sequence', 'CREATE SEQUENCE health_checks_id_seq', ['sequence public.health_checks_id_seq'], migrations],
  [
    'an index',
    'CREATE TABLE theirs (a int); CREATE INDEX users_erased_at ON theirs (a)',
    ['index public.users_erased_at of table theirs'],
    migrations,
  ],
  [
    'what a renamed table left behind',
    'CREATE TABLE users (id int PRIMARY KEY, email text CHECK (length(email) > 1), external_id text UNIQUE); ALTER TABLE users RENAME TO people',
    [
      'constraint public.users_email_check of table people',
      'index public.users_external_id_key of table people',
      'index public.users_pkey of table people',
    ],
    migrations,
  ],
  [
    'a function',
    "CREATE FUNCTION touch(text) RETURNS text LANGUAGE sql AS 'SELECT $1'",
    ['function public.touch'],
    [migration('1', "CREATE OR REPLACE FUNCTION touch() RETURNS int LANGUAGE sql AS 'SELECT 1'")],
  ],
  [
    'an extension in another schema',
    'CREATE SCHEMA theirs; CREATE EXTENSION citext SCHEMA theirs',
    ['extension citext'],
    [migration('1', 'CREATE EXTENSION citext')],
  ],
  ['what an extension made', 'CREATE EXTENSION hstore', ['type public.hstore of extension hstore'], [migration('1', 'CREATE TABLE hstore (a int)')]],
  ['a schema', 'CREATE SCHEMA audit', ['schema audit'], [migration('1', 'CREATE SCHEMA audit', 'CREATE TABLE audit.log (a int)')]],
  [
    'a table in another schema',
    'CREATE SCHEMA audit; CREATE TABLE audit.log (b int)',
    ['table audit.log'],
    [migration('1', 'CREATE TABLE IF NOT EXISTS audit.log (a int)')],
  ],
  [
    'a table that IF NOT EXISTS would adopt',
    'CREATE TABLE notes (b int)',
    ['table public.notes'],
    [migration('1', 'CREATE TABLE IF NOT EXISTS notes (a int)')],
  ],
  [
    'the target of a renaming',
    'CREATE TABLE kept (b int)',
    ['table public.kept'],
    [migration('1', 'CREATE TABLE made (a int)', 'ALTER TABLE made RENAME TO kept')],
  ],
  [
    'the name that a longer one is cut off to',
    `CREATE TABLE ${'n'.repeat(63)} (b int)`,
    [`table public.${'n'.repeat(63)}`],
    [migration('1', `CREATE TABLE IF NOT EXISTS ${'n'.repeat(70)} (a int)`)],
  ],
  ['unusual names', 'CREATE TABLE "Weird ""Name" (b int)', ['table public."Weird \\"Name"'], [migration('1', 'CREATE TABLE "Weird ""Name" (a int)')]],
]

describe('a name that others own', () => {
  it.each(taken)('is refused and nothing is changed: %s', async (_, sql, expected, list) => {
    await withEmpty(async database => {
      await database.query(sql)
      const before = [await dumpCatalog(database), await dumpRows(database, 'public')]
      const refusal = await up(database, { list }).catch((error: unknown) => error as { code: string; message: string; details: { names: string[] } })
      expect(refusal).toMatchObject({ code: 'names-taken', message: expect.stringContaining('Nothing was changed') as unknown })
      const { details, message } = refusal as { details: { names: string[] }; message: string }
      expect(details.names.toSorted()).toEqual(expected.toSorted())
      for (const name of expected) expect(message).toContain(name)
      expect(message).toMatch(/: set DB_SCHEMA to its name\.|Schemas, extensions and roles: /)
      expect([await dumpCatalog(database), await dumpRows(database, 'public')]).toEqual(before)
    })
  })

  it('of a role is refused', async () => {
    await withEmpty(async database => {
      const [{ user } = { user: '' }] = await database.query<{ user: string }>('SELECT current_user AS user')
      const refusal = up(database, { list: [migration('1', `CREATE ROLE "${user}"`)] })
      await expect(refusal).rejects.toMatchObject({ code: 'names-taken', details: { names: [`role ${user}`] } })
    })
  })

  it('is found before a pending migration alters what was applied', async () => {
    await withEmpty(async database => {
      const first = migration('1', 'CREATE TABLE notes (a int)')
      await up(database, { list: [first] })
      await database.query('CREATE TABLE tags (b int)')
      const before = await dumpCatalog(database)
      const list = [first, migration('2', 'ALTER TABLE notes ADD COLUMN b int'), migration('3', 'CREATE TABLE tags (a int)')]
      await expect(up(database, { list })).rejects.toMatchObject({ code: 'names-taken', details: { names: ['table public.tags'] } })
      expect(await dumpCatalog(database)).toEqual(before)
    })
  })

  it('may be shared with IF NOT EXISTS, if it is a schema or an extension', async () => {
    await withEmpty(async database => {
      await database.query('CREATE SCHEMA audit; CREATE EXTENSION citext SCHEMA audit')
      const list = [
        migration('1', 'CREATE SCHEMA IF NOT EXISTS audit', 'CREATE EXTENSION IF NOT EXISTS citext', 'CREATE TABLE notes (a audit.citext)'),
      ]
      expect((await up(database, { list })).applied).toEqual(['1'])
    })
  })

  it('is ours when an applied migration took it', async () => {
    await withEmpty(async database => {
      const first = migration('1', 'CREATE TABLE notes (a int)')
      await up(database, { list: [first] })
      const rebuilt = migration('2', 'CREATE TABLE notes_new (a int)', 'DROP TABLE notes', 'ALTER TABLE notes_new RENAME TO notes')
      expect((await up(database, { list: [first, rebuilt] })).applied).toEqual(['2'])
    })
  })

  it.each(['DROP TABLE IF EXISTS other, notes', 'ALTER TABLE notes RENAME TO old_notes'])('is not ours any more after %s', async change => {
    await withEmpty(async database => {
      const applied = [migration('1', 'CREATE TABLE notes (a int)'), migration('2', change)]
      await up(database, { list: applied })
      await database.query('CREATE TABLE notes (b int)')
      const before = await dumpCatalog(database)
      const list = [...applied, migration('3', 'CREATE TABLE IF NOT EXISTS notes (a int)', 'ALTER TABLE notes ADD COLUMN x int')]
      await expect(up(database, { list })).rejects.toMatchObject({ code: 'names-taken', details: { names: ['table public.notes'] } })
      expect(await dumpCatalog(database)).toEqual(before)
    })
  })

  it('is ours when a migration without a transaction was cut off behind it', async () => {
    await withEmpty(async database => {
      const statements = [
        'CREATE TABLE IF NOT EXISTS notes (a int)',
        'DROP INDEX CONCURRENTLY IF EXISTS notes_a',
        'CREATE INDEX CONCURRENTLY notes_a ON notes (a)',
      ]
      const cut = { ...migration('1', ...statements, 'SELECT 1 / 0'), transaction: false }
      await expect(up(database, { list: [cut] })).rejects.toMatchObject({ code: 'migration-failed' })
      expect((await up(database, { list: [{ ...migration('1', ...statements), transaction: false }] })).applied).toEqual(['1'])
      // Once it has ended, the note is gone.
      const [{ comment } = { comment: '' }] = await database.query<{ comment: string }>(
        "SELECT obj_description('schema_migrations'::regclass) AS comment",
      )
      expect(comment).not.toContain('Under way')
    })
  })
})

describe('a database of an earlier version', () => {
  it.each([
    ['with digests', ''],
    ['without digests', 'ALTER TABLE schema_migrations DROP COLUMN digest'],
  ])('is migrated without a manual step, %s', async (_, column) => {
    await withEmpty(async database => {
      const list = migrations.slice(0, 2)
      await up(database, { list })
      await database.query(`COMMENT ON TABLE schema_migrations IS NULL; ${column}`)
      expect((await up(database)).applied).toEqual(names.slice(2))
      expect(await up(database)).toEqual({ applied: [], alreadyApplied: names.length })
    })
  })

  it('whose tables the search path placed elsewhere is not given a second set of them', async () => {
    await withEmpty(async database => {
      await up(database, { schema: 'app' })
      await database.query(`ALTER DATABASE "${database.name}" SET search_path TO app`)
      const before = await dumpCatalog(database)
      await expect(up(database)).rejects.toMatchObject({
        code: 'migrations-elsewhere',
        message: expect.stringContaining('set DB_SCHEMA') as unknown,
        details: { schema: 'app' },
      })
      expect(await dumpCatalog(database)).toEqual(before)
      expect(await up(database, { schema: 'app' })).toEqual({ applied: [], alreadyApplied: names.length })
    })
  })
})

describe('the schema', () => {
  it.each(['functions', 'select', 'WeirdName', '_x9'])('%s is created and holds all tables', async schema => {
    await withEmpty(async database => {
      expect((await up(database, { schema })).applied).toEqual(names)
      const found = await database.query<{ schema: string }>(
        "SELECT DISTINCT schemaname AS schema FROM pg_tables WHERE schemaname !~ '^(pg_|information_schema)'",
      )
      expect(found).toEqual([{ schema }])
      expect(await up(database, { schema })).toEqual({ applied: [], alreadyApplied: names.length })
    })
  })

  it.each([
    ['does not exist', '', 'schema-missing', /CREATE SCHEMA "functions" AUTHORIZATION "/],
    ['is closed to the role', 'CREATE SCHEMA functions', 'schema-closed', /GRANT USAGE, CREATE ON SCHEMA "functions" TO "/],
    ['may only be used', 'CREATE SCHEMA functions; GRANT USAGE ON SCHEMA functions TO PUBLIC', 'schema-closed', /GRANT USAGE, CREATE/],
  ])('is refused with the cure when it %s', async (_, sql, code, cure) => {
    await withEmpty(async database => {
      const role = `${database.name}_role`
      await database.query(`${sql}; CREATE ROLE ${role} LOGIN PASSWORD 'secret'`)
      try {
        const before = await dumpCatalog(database)
        const settings = migrationSettings.parse({ ...environmentFor(database), DB_USER: role, DB_PASSWORD: 'secret', DB_SCHEMA: 'functions' }).value
        const deadline = openDeadline({ remainingMs: 20_000, reserveMs: 0 })
        const refused = applyMigrations({ settings: settings ?? missing(), deadline, migrations }).finally(() => deadline.clear())
        await expect(refused).rejects.toMatchObject({ code, message: expect.stringMatching(cure) as unknown })
        expect(await dumpCatalog(database)).toEqual(before)
      } finally {
        await database.query(`DROP ROLE ${role}`)
      }
    })
  })

  it('that an administrator made for the role is enough', async () => {
    await withEmpty(async database => {
      const role = `${database.name}_role`
      await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'; CREATE SCHEMA functions AUTHORIZATION ${role}`)
      try {
        const settings = migrationSettings.parse({ ...environmentFor(database), DB_USER: role, DB_PASSWORD: 'secret', DB_SCHEMA: 'functions' }).value
        const deadline = openDeadline({ remainingMs: 20_000, reserveMs: 0 })
        const applied = applyMigrations({ settings: settings ?? missing(), deadline, migrations }).finally(() => deadline.clear())
        expect((await applied).applied).toEqual(names)
      } finally {
        await database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
      }
    })
  })
})

describe('a migration that adopts a table', () => {
  const baseline: Migration = {
    ...migration('1', 'CREATE TABLE IF NOT EXISTS invoices (id serial PRIMARY KEY, n int UNIQUE)', 'CREATE TABLE lines (id int)'),
    adopts: ['invoices'],
  }
  const next = migration('2', 'ALTER TABLE invoices ADD paid boolean')
  const invoices = 'CREATE TABLE invoices (id serial PRIMARY KEY, n int UNIQUE); INSERT INTO invoices (n) VALUES (7)'

  it.each([
    ['that exists', invoices],
    ['that does not exist', 'SELECT 1'],
    ['that exists with fewer columns', 'CREATE TABLE invoices (id int)'],
  ])('is applied over one %s', async (_what, sql) => {
    await withEmpty(async database => {
      await database.query(sql)
      expect(await up(database, { list: [baseline, next] })).toEqual({ applied: ['1', '2'], alreadyApplied: 0 })
      expect(await database.query('SELECT paid FROM invoices')).toHaveLength(sql === invoices ? 1 : 0)
    })
  })

  it.each([
    ['a table that it does not adopt', `${invoices}; CREATE TABLE lines (id int)`, 'table public.lines'],
    ['a view', 'CREATE VIEW invoices AS SELECT 1 AS a', 'view public.invoices'],
    [
      "another table's index of that name",
      'CREATE TABLE other (n int); CREATE INDEX invoices_pkey ON other (n)',
      'index public.invoices_pkey of table other',
    ],
  ])('does not take %s', async (_what, sql, name) => {
    await withEmpty(async database => {
      await database.query(sql)
      await expect(up(database, { list: [baseline, next] })).rejects.toMatchObject({ code: 'names-taken', details: { names: [name] } })
    })
  })
})
