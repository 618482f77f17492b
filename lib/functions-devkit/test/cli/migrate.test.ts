import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, connect as connectTcp, type AddressInfo, type Socket } from 'node:net'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import pg from 'pg'
import { describe, expect, inject, it } from 'vitest'
import { checkMigrations } from '../../src/cli/migrate/check.ts'
import { newMigration } from '../../src/cli/migrate/new.ts'
import { resetDatabase } from '../../src/cli/migrate/reset.ts'
import { readMigrationStates } from '../../src/cli/migrate/state.ts'
import { GENERATED } from '../../src/sync/index-files.ts'
import { migrationSettings } from '../../../functions-runtime/src/database/settings.ts'
import { applyMigrations } from '../../../functions-runtime/src/database/migrate.ts'
import { migrations } from '../application/lib/app/migrations/index.ts'
import type { Migration } from '../../../resilient-sequelize/src/migrate/migration.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { withDatabase, type TestDatabase } from '../support/database.ts'
import { startFakePostgres } from '../support/fake-postgres.ts'
import { hasPgBouncer, startPgBouncer } from '../../../postgres-faults/src/pgbouncer.ts'
import { APPLICATION_FOLDER, REPOSITORY } from '../support/tested-application.ts'

// The application of the tests, for what runs from this repository.
const application = { APPLICATION_FOLDER }

const settingsFor = (url: string) => {
  const { value, issues } = migrationSettings.parse({ DB_MIGRATION_URL: url })
  if (!value) throw new Error(JSON.stringify(issues))
  return value
}

async function withClient<Result>(database: TestDatabase, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

const check = (list: readonly Migration[]) => withDatabase(database => withClient(database, client => checkMigrations(client, list)), { empty: true })

const migration = (name: string, statements: readonly string[], options: Partial<Migration> = {}): Migration => ({
  name,
  ...options,
  async up({ query }) {
    for (const statement of statements) await query(statement)
  },
})

const FIRST = migration('1', [
  "CREATE TYPE mood AS ENUM ('good', 'bad')",
  `CREATE TABLE things (id uuid PRIMARY KEY, name text NOT NULL, size varchar(10), kept text NOT NULL DEFAULT 'x', code text UNIQUE, feels mood,
    number bigint GENERATED ALWAYS AS IDENTITY)`,
  'CREATE INDEX things_size ON things (size)',
  'CREATE VIEW small AS SELECT id FROM things',
  'CREATE FUNCTION one() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
])

describe('the check of migrations', () => {
  it('finds nothing in those of this project', async () => {
    expect(await check(migrations)).toEqual([])
  })

  it.each([
    ['DROP TABLE things CASCADE', 'drops the table public.things'],
    ['DROP VIEW small', 'drops the view public.small'],
    ['DROP FUNCTION one', 'drops the function public.one()'],
    ['ALTER TABLE things RENAME TO stuff', 'renames the table public.things to public.stuff'],
    ['ALTER TABLE things DROP COLUMN size', 'drops the column public.things.size'],
    ['ALTER TABLE things RENAME COLUMN size TO length', 'renames the column public.things.size to length'],
    ['ALTER TABLE things ALTER COLUMN size TYPE text', 'changes the type of public.things.size from character varying(10) to text'],
    ['ALTER TABLE things ALTER COLUMN size SET NOT NULL', 'asks every insert for public.things.size: it is NOT NULL without a default'],
    ['ALTER TABLE things ADD COLUMN colour text NOT NULL', 'asks every insert for public.things.colour: it is NOT NULL without a default'],
    ['ALTER TABLE things ALTER COLUMN kept DROP DEFAULT', 'asks every insert for public.things.kept: it is NOT NULL without a default'],
    ['ALTER TABLE things DROP CONSTRAINT things_code_key', 'drops the unique index public.things_code_key'],
    ["ALTER TYPE mood RENAME VALUE 'bad' TO 'poor'", 'renames the value public.mood: bad to public.mood: poor'],
    // What no look at the text would find.
    ["DO $$ BEGIN EXECUTE 'ALTER TABLE things DROP ' || 'COLUMN size'; END $$", 'drops the column public.things.size'],
    ['DROP VIEW small; CREATE VIEW small AS SELECT name FROM things', 'drops the view public.small'],
  ])('sees what %s does', async (statement, breaking) => {
    const [found] = await check([FIRST, migration('2', [statement])])
    expect(found?.message).toContain(breaking)
    expect(found?.kind).toBe('problem')
  })

  it.each([
    'ALTER TABLE things ADD COLUMN colour text',
    "ALTER TABLE things ADD COLUMN colour text NOT NULL DEFAULT 'red'",
    'ALTER TABLE things ADD COLUMN serial bigserial',
    'ALTER TABLE things ALTER COLUMN name DROP NOT NULL',
    'ALTER TABLE things ADD CHECK (length(name) > 0) NOT VALID',
    'CREATE TABLE more (id int NOT NULL, thing uuid REFERENCES things (id)); CREATE INDEX more_thing ON more (thing)',
    'DROP INDEX things_size',
    "ALTER TYPE mood ADD VALUE 'fair'",
    'CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql AS $$ SELECT 2 - 1 $$',
    "-- DROP TABLE things\nCOMMENT ON TABLE things IS 'nobody must DROP COLUMN size'",
  ])('lets pass what breaks nobody: %s', async statement => {
    expect(await check([FIRST, migration('2', [statement])])).toEqual([])
  })

  it('says of a table that is dropped nothing but that', async () => {
    const [found] = await check([FIRST, migration('2', ['DROP VIEW small'], { breaking: true }), migration('3', ['DROP TABLE things'])])
    expect(found?.message).toMatch(/^drops the table public\.things\. The functions/)
  })

  it('lets pass what is declared to break', async () => {
    expect(await check([FIRST, migration('2', ['ALTER TABLE things DROP COLUMN size'], { breaking: true })])).toEqual([])
  })

  it('warns of an index that locks a table which is there, whichever way it is built, with the safe way', async () => {
    const statements = ['CREATE INDEX a ON things (name)', 'ALTER TABLE things ADD UNIQUE (name)']
    for (const statement of statements) {
      const found = await check([FIRST, migration('2', [statement])])
      expect(found).toEqual([{ migration: '2', kind: 'warning', message: expect.stringContaining('CREATE INDEX CONCURRENTLY') as unknown }])
    }
    const mixed = ['CREATE INDEX CONCURRENTLY safe ON things (name)', 'CREATE INDEX unsafe ON things (kept)']
    const found = await check([FIRST, migration('2', mixed, { transaction: false })])
    expect(found.map(({ message }) => message.split(',')[0])).toEqual(['builds the index public.unsafe on things'])
    const taken = ['CREATE UNIQUE INDEX CONCURRENTLY safe ON things (name)', 'ALTER TABLE things ADD CONSTRAINT safe UNIQUE USING INDEX safe']
    expect(await check([FIRST, migration('2', taken, { transaction: false })])).toEqual([])
  })

  it('names a migration that cannot be applied, and stops there', async () => {
    const found = await check([FIRST, migration('2', ['SELECT nothing']), migration('3', ['SELECT 1'])])
    expect(found).toEqual([{ migration: '2', kind: 'problem', message: expect.stringMatching(/^fails on a database that has/) as unknown }])
  })
})

describe('npm run migrate', () => {
  const run = (words: readonly string[], environment: Record<string, string> = {}) =>
    spawnSync(process.execPath, [join(REPOSITORY, 'lib/functions-devkit/src/cli/migrate.ts'), ...words], {
      encoding: 'utf8',
      env: { ...application, PATH: process.env.PATH ?? '', LOCAL_DATA_FOLDER: '/nonexistent/folder', ...environment },
    })

  it('applies what is pending, tells how it stands, and names what was changed, is unknown or must be allowed', async () => {
    await withDatabase(
      async database => {
        const environment = { DB_CONNECTION_URL: database.url }
        const before = run(['status'], environment)
        expect([before.status, before.stdout.match(/^pending/gm)?.length]).toEqual([1, migrations.length])
        expect(run(['up'], environment)).toMatchObject({
          status: 0,
          stdout: expect.stringContaining(`${migrations.length} applied now, 0 before`) as unknown,
        })
        expect(run(['status'], environment).status).toBe(0)
        await database.query("UPDATE schema_migrations SET digest = repeat('0', 64) WHERE name = $1", [migrations[1]?.name])
        await database.query("INSERT INTO schema_migrations (name) VALUES ('2027-01-01-later')")
        const after = run(['status'], environment)
        expect(after.status).toBe(1)
        expect(after.stdout).toMatch(new RegExp(`^changed +${migrations[1]?.name}`, 'm'))
        expect(after.stdout).toContain('unknown  2027-01-01-later')
        const [reset, password] = [run(['reset'], environment), new URL(database.url).password]
        expect(reset).toMatchObject({ status: 0, stdout: expect.stringContaining(`${migrations.length} applied now, 0 before`) as unknown })
        expect(run(['status'], environment).status).toBe(0)
        for (const { stdout, stderr } of [before, after, reset]) expect(stdout + stderr).not.toContain(password)
      },
      { empty: true },
    )
  })

  it.each(['SQL, DMY', 'German, DMY', 'Postgres, MDY'])('tells when migrations were applied under the date style %s', async style => {
    await withDatabase(async database => {
      await database.query(`ALTER DATABASE ${database.name} SET DateStyle TO '${style}'`)
      const { status, stdout } = run(['status'], { DB_CONNECTION_URL: database.url })
      expect(status).toBe(0)
      const times = [...stdout.matchAll(/^applied +\S+ +(\S+Z)/gm)].map(([, at = '']) => Math.abs(Date.now() - Date.parse(at)))
      expect(times).toHaveLength(migrations.length)
      expect(Math.max(...times)).toBeLessThan(86_400_000)
    })
  })

  it.each(['LATIN1', 'SQL_ASCII', 'WIN1252'])('applies nothing to a database in %s, and names the cure', async encoding => {
    await withDatabase(
      async database => {
        const name = `${database.name}_other`
        await database.query(`CREATE DATABASE ${name} ENCODING '${encoding}' TEMPLATE template0 LOCALE 'C'`)
        try {
          const url = new URL(database.url)
          url.pathname = `/${name}`
          const { status, stderr } = run(['up'], { DB_CONNECTION_URL: String(url) })
          expect(status).toBe(1)
          expect(stderr).toContain(`unsupported-server: The encoding of the database is ${encoding}`)
          expect(stderr).toContain("ENCODING 'UTF8' and TEMPLATE template0")
          expect(run(['status'], { DB_CONNECTION_URL: String(url) }).stdout).toMatch(/^pending/m)
        } finally {
          await database.query(`DROP DATABASE ${name} WITH (FORCE)`)
        }
      },
      { empty: true },
    )
  })

  it('says how it is used, and what is missing', () => {
    for (const words of [[], ['down'], ['up', 'now'], ['reset', '--allow-breaking'], ['new']]) {
      expect(run(words)).toMatchObject({ status: 2, stderr: expect.stringContaining('npm run migrate -- up') as unknown })
    }
    expect(run(['status'])).toMatchObject({ status: 1, stderr: expect.stringContaining('DB_CONNECTION_URL is missing') as unknown })
    expect(run(['reset', '--local'])).toMatchObject({ status: 1, stderr: expect.stringContaining('npm start') as unknown })
  })

  it.each(['status', 'up', 'reset'])('names no host when %s cannot get there', async action => {
    const environment = { DB_MIGRATION_URL: 'postgres://app:s3cret-password@db-7.example.invalid:25060/defaultdb?sslmode=require' }
    const { status, stdout, stderr } = run([action], environment)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).not.toBe('')
    expect(stderr).not.toMatch(/db-7|example|s3cret/)
  })

  it.each(['status', 'up', 'reset'])('%s names the doctor when the password is wrong', async action => {
    const { host, port, user } = inject('postgres')
    const environment = { DB_MIGRATION_URL: `postgres://${user}:wrong-password@${host}:${port}/postgres?sslmode=disable` }
    const { status, stderr } = run([action], environment)
    expect([status, stderr]).toEqual([1, expect.stringMatching(/\nnpm run doctor names the reason and the cure\n$/)])
  })

  it.each<[string, (socket: Socket) => unknown]>([
    ['closes the connection', socket => socket.end()],
    ['resets the connection', socket => socket.once('data', () => socket.resetAndDestroy())],
    ['has no TLS', socket => socket.once('data', () => socket.write('N'))],
    ['speaks another protocol', socket => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))],
    ['says nothing', () => undefined],
  ])('status names the doctor when the port %s', { timeout: 30_000 }, async (_what, answer) => {
    const server = createServer(answer).listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const { port } = server.address() as AddressInfo
      const child = spawn(process.execPath, [join(REPOSITORY, 'lib/functions-devkit/src/cli/migrate.ts'), 'status'], {
        env: {
          ...application,
          PATH: process.env.PATH ?? '',
          DB_MIGRATION_URL: `postgres://app:s3cret-password@127.0.0.1:${port}/db?sslmode=require`,
        },
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      const [said] = await Promise.all([text(child.stderr), once(child, 'close')])
      expect([child.exitCode, said]).toEqual([1, expect.stringMatching(/^.+\nnpm run doctor names the reason and the cure\n$/)])
    } finally {
      server.close()
    }
  })

  it('says at once why up waits, when the database may come back', async () => {
    const child = spawn(process.execPath, [join(REPOSITORY, 'lib/functions-devkit/src/cli/migrate.ts'), 'up'], {
      env: { ...application, PATH: process.env.PATH ?? '', DB_MIGRATION_URL: 'postgres://app:s3cret-password@127.0.0.1:1/db?sslmode=disable' },
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 10_000,
    })
    const [said] = (await Promise.race([once(child.stderr, 'data'), once(child, 'close').then(() => ['nothing'])])) as [unknown]
    child.kill('SIGKILL')
    expect(String(said)).toMatch(/^connect ECONNREFUSED \[host\]; retried for 10 minutes\nnpm run doctor names the reason and the cure\n/)
  })

  it('names a migration that has no statement yet', async () => {
    const root = mkdtempSync(join(tmpdir(), 'new-migration-'))
    try {
      const own = join(REPOSITORY, 'lib/resilient-sequelize/src/migrate/migration.ts')
      mkdirSync(join(root, 'lib/app/migrations'), { recursive: true })
      writeFileSync(join(root, 'lib/app/migrations/index.ts'), `${GENERATED}\nimport type { Migration } from '${own}'\n`)
      newMigration(root, ['add', 'orders'], new Date('2027-02-03T23:59:59Z'))
      const { migrations: written } = (await import(join(root, 'lib/app/migrations/index.ts'))) as { migrations: Migration[] }
      expect(await check(written)).toMatchObject([{ migration: '2027-02-03-2359-add-orders', kind: 'problem' }])
    } finally {
      rmSync(root, { recursive: true })
    }
  })
})

describe('what is refused while others serve', () => {
  it('is a breaking migration that nobody allowed; nothing is applied then', async () => {
    await withDatabase(
      async database => {
        const apply = async (list: readonly Migration[], allowBreaking = false) => {
          const deadline = openDeadline({ remainingMs: 10_000, reserveMs: 0 })
          return applyMigrations({ settings: settingsFor(database.url), deadline, migrations: list, allowBreaking }).finally(() => deadline.clear())
        }
        const breaking = migration('3', ['ALTER TABLE things DROP COLUMN size'], { breaking: true })
        const list = [FIRST, migration('2', ['SELECT 1']), breaking]
        // A database without any migration has nobody to break.
        await apply([FIRST])
        await expect(apply(list)).rejects.toMatchObject({ code: 'migration-breaking', details: { migrations: ['3'] } })
        expect(await database.query('SELECT name FROM schema_migrations')).toEqual([{ name: '1' }])
        expect(await apply(list, true)).toEqual({ applied: ['2', '3'], alreadyApplied: 1 })
        const changed = [migration('1', ['SELECT 2']), ...list.slice(1)]
        await withClient(database, async client => {
          expect((await readMigrationStates(client, 'public', list)).migrations.map(({ state }) => state)).toEqual(['applied', 'applied', 'applied'])
          expect((await readMigrationStates(client, 'public', changed)).migrations.map(({ state }) => state)).toEqual([
            'changed',
            'applied',
            'applied',
          ])
        })
      },
      { empty: true },
    )
  })

  it('keeps a digest of what it applies from then on in a database that was made without', async () => {
    await withDatabase(
      async database => {
        await database.query('CREATE TABLE schema_migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())')
        await database.query("INSERT INTO schema_migrations VALUES ('1')")
        const list = [FIRST, migration('2', ['SELECT 1'])]
        await withClient(database, async client => {
          expect((await readMigrationStates(client, 'public', list)).migrations.map(({ state }) => state)).toEqual(['applied', 'pending'])
        })
        const deadline = openDeadline({ remainingMs: 10_000, reserveMs: 0 })
        await applyMigrations({ settings: settingsFor(database.url), deadline, migrations: list })
        deadline.clear()
        const rows = await database.query('SELECT name, length(digest) AS digits FROM schema_migrations ORDER BY name')
        expect(rows).toEqual([
          { name: '1', digits: null },
          { name: '2', digits: 64 },
        ])
      },
      { empty: true },
    )
  })

  it('is not asked of a database that has no migration yet', async () => {
    await withDatabase(
      async database => {
        const deadline = openDeadline({ remainingMs: 10_000, reserveMs: 0 })
        const list = [FIRST, migration('2', ['ALTER TABLE things DROP COLUMN size'], { breaking: true })]
        expect((await applyMigrations({ settings: settingsFor(database.url), deadline, migrations: list })).applied).toEqual(['1', '2'])
        deadline.clear()
      },
      { empty: true },
    )
  })
})

describe('reset', () => {
  const { host: _host, port, user, password } = inject('postgres')
  const login = `${user}:${encodeURIComponent(password)}`
  const reset = (url: string) => resetDatabase({ settings: settingsFor(url), withinMs: 10_000, migrations: [] })

  it.each([
    ['a name of elsewhere', 'db.example.com'],
    ['a name that begins like a local one', 'localhost.example.com'],
    ['a name that does not resolve', 'localhost.invalid'],
    ['every address of this machine', '0.0.0.0'],
    ['an address of the network', '10.1.2.3'],
    ['an address that maps another', '[::ffff:10.1.2.3]'],
    ['a socket file', '%2Fvar%2Frun%2Fpostgresql'],
  ])('refuses %s before it connects', async (_what, host) => {
    await expect(reset(`postgres://${login}@${host}:${port}/postgres`)).rejects.toMatchObject({ name: 'NotLocalError' })
  })

  it.each(['host=10.1.2.3', 'hostaddr=10.1.2.3', 'options=-csearch_path%3Dx', 'service=production'])(
    'has no address from a URL with ?%s',
    parameter => {
      expect(migrationSettings.parse({ DB_MIGRATION_URL: `postgres://${login}@127.0.0.1:${port}/postgres?${parameter}` }).issues).toHaveLength(1)
    },
  )

  it('says so of a socket file, which has no address', async () => {
    await expect(reset(`postgres://${login}@%2Ftmp:${port}/postgres`)).rejects.toThrow('the host is a socket file')
  })

  it('refuses a name that leads to this machine and to another', async () => {
    const settings = settingsFor(`postgres://${login}@both.test:${port}/postgres`)
    const resolve = async () => [{ address: '127.0.0.1' }, { address: '10.1.2.3' }]
    await expect(resetDatabase({ settings, withinMs: 10_000, resolve })).rejects.toThrow('not only, a loopback address')
  })

  it.each([
    ['says that it has another address', '10.1.2.3', process.pid, 'has another address'],
    ['has no process here', '127.0.0.1', 0x7ffffff0, 'does not run on this machine'],
    ['is another program', '127.0.0.1', process.pid, 'does not run on this machine'],
  ])('refuses the end of a tunnel, whose server %s, and sends it nothing more', async (_what, address, pid, reason) => {
    const server = await startFakePostgres({ address, pid: String(pid) })
    try {
      await expect(reset(`postgres://u:p@127.0.0.1:${server.port}/db`)).rejects.toThrow(reason)
      expect(server.statements.filter(statement => !statement.startsWith('SELECT'))).toEqual([])
    } finally {
      server.stop()
    }
  })

  it('refuses the end of a tunnel, whose server has the number of a PostgreSQL that runs here', async () => {
    await withDatabase(async database => {
      const [row] = await database.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
      const server = await startFakePostgres({ address: '127.0.0.1', pid: String(row?.pid), port: '1' })
      try {
        await expect(reset(`postgres://u:p@127.0.0.1:${server.port}/db`)).rejects.toThrow('does not run on this machine')
        expect(server.statements.filter(statement => !statement.startsWith('SELECT'))).toEqual([])
      } finally {
        server.stop()
      }
    })
  })

  it.runIf(hasPgBouncer())('refuses a pooler on this machine: it may lead anywhere', async () => {
    const pooler = await startPgBouncer({ server: inject('postgres') })
    try {
      await expect(reset(`postgres://${login}@127.0.0.1:${pooler.port}/postgres`)).rejects.toThrow('a pooler answers there')
    } finally {
      await pooler.stop()
    }
  })

  it('goes by a forwarded port as long as the server is this machine’s, and rebuilds the database from nothing', async () => {
    await withDatabase(async database => {
      await database.query('CREATE SCHEMA other CREATE TABLE more (a int)')
      await database.query('CREATE TABLE leftover (a int)')
      const forward = createServer(client => void client.pipe(connectTcp(port, '127.0.0.1')).pipe(client))
      await new Promise<void>(resolve => forward.listen(0, '127.0.0.1', resolve))
      try {
        const url = `postgres://${login}@localhost:${(forward.address() as AddressInfo).port}/${database.name}`
        const { applied } = await resetDatabase({ settings: settingsFor(url), withinMs: 10_000 })
        expect(applied).toHaveLength(migrations.length)
      } finally {
        forward.close()
      }
      const left = await database.query(
        "SELECT to_regclass('leftover') AS one, to_regclass('other.more') AS two, to_regclass('users') IS NULL AS three",
      )
      expect(left).toEqual([{ one: null, two: null, three: false }])
    })
  })
})
