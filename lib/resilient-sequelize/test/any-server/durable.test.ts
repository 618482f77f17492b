import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ResilientSequelize } from '../../src/index.ts'
import { hasPgBouncer, startPgBouncer } from '../../../postgres-faults/src/pgbouncer.ts'
import { makeServerFolder } from '../../../postgres-faults/src/server-folder.ts'
import { withConnection } from '../../../functions-devkit/src/server/postgres/connection.ts'
import { dataRootFor } from '../../../functions-devkit/src/server/postgres/data-root.ts'
import { startPostgres, type LocalPostgres } from '../../../functions-devkit/src/server/postgres/local-postgres.ts'
import { processesServing, signal } from '../../../functions-devkit/src/server/postgres/system-process.ts'

// What is confirmed under `durable` survives a crash of the server, whatever the role or the database has set.

// Without `durable` the server writes its log that late.
const SETTINGS = { wal_writer_delay: '10s', autovacuum: 'off', fsync: 'on' }
const WRITES = 20

let folder: string
let postgres: LocalPostgres

beforeAll(async () => {
  folder = await makeServerFolder()
  postgres = await startPostgres({ folder, programsFolder: dataRootFor(resolve(import.meta.dirname, '../../../..')).folder, settings: SETTINGS })
})
afterAll(async () => {
  await postgres.stop('immediate')
  await rm(folder, { recursive: true, force: true })
})

type Write = (sequelize: ResilientSequelize, id: number) => Promise<unknown>

const insert = (sequelize: ResilientSequelize, id: number, options = {}) =>
  sequelize.query('INSERT INTO notes (id) VALUES ($id)', { bind: { id }, ...options })

const WAYS_TO_WRITE: readonly (readonly [name: string, write: Write])[] = [
  ['units', (sequelize, id) => sequelize.execute('note', ({ query }) => query('INSERT INTO notes (id) VALUES ($id)', { id }))],
  [
    'units that set it off themselves',
    (sequelize, id) =>
      sequelize.execute('note', async ({ query }) => {
        await query('SET LOCAL synchronous_commit = off')
        await query('INSERT INTO notes (id) VALUES ($id)', { id })
      }),
  ],
  ['stand-alone inserts', (sequelize, id) => insert(sequelize, id)],
  ['stand-alone calls of a function', (sequelize, id) => sequelize.query('SELECT note($id)', { bind: { id } })],
  ['transactions', (sequelize, id) => sequelize.transaction(transaction => insert(sequelize, id, { transaction }))],
]

const SETTERS = [
  ['off at the role', 'ALTER ROLE writer SET synchronous_commit = off'],
  ['off at the database', 'ALTER DATABASE @ SET synchronous_commit = off'],
  ['local at the role', 'ALTER ROLE writer SET synchronous_commit = local'],
  ['off at the server', 'ALTER SYSTEM SET synchronous_commit = off'],
] as const

let databases = 0

interface Stage {
  readonly sequelize: ResilientSequelize
  read<Row extends object>(text: string): Promise<Row[]>
}

async function withStage({ setter, pooled, durable }: { setter: string; pooled: boolean; durable: boolean }, work: (stage: Stage) => Promise<void>) {
  databases += 1
  const name = `durable_${databases}`
  await postgres.createDatabase(name)
  const admin = (text: string) => withConnection(postgres, name, client => client.query(text))
  await admin(`DROP ROLE IF EXISTS writer`)
  await admin(`CREATE ROLE writer LOGIN PASSWORD 'secret'`)
  await admin(`
    CREATE TABLE notes (id int PRIMARY KEY, level text);
    CREATE FUNCTION note(id int) RETURNS void LANGUAGE sql AS 'INSERT INTO notes (id) VALUES (id)';
    CREATE PROCEDURE call_note(id int) LANGUAGE sql AS 'INSERT INTO notes (id) VALUES (id)';
    CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
      $$BEGIN UPDATE notes SET level = current_setting('synchronous_commit') WHERE id = NEW.id; RETURN NULL; END$$;
    CREATE CONSTRAINT TRIGGER see AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION see();
    GRANT ALL ON notes TO writer`)
  await admin(setter.replace('@', name))
  await admin('SELECT pg_reload_conf()')
  await admin('CHECKPOINT')
  const { host, port } = postgres
  const pooler = pooled ? await startPgBouncer({ server: { host, port, user: 'writer', password: 'secret' } }) : undefined
  const sequelize = new ResilientSequelize(name, 'writer', 'secret', {
    host,
    port: pooler?.port ?? port,
    logging: false,
    pool: { max: 1 },
    resilience: { durable },
  })
  try {
    await work({
      sequelize,
      read: async <Row extends object>(text: string) => (await withConnection(postgres, name, client => client.query<Row>(text))).rows,
    })
  } finally {
    await sequelize.gracefulShutdown()
    await pooler?.stop()
    await admin('ALTER SYSTEM RESET synchronous_commit')
    await admin('SELECT pg_reload_conf()')
    await admin('DROP OWNED BY writer')
  }
}

async function crash(): Promise<void> {
  for (const pid of processesServing(postgres.dataFolder)) signal(pid, 'SIGKILL')
  while (postgres.pid !== undefined) await sleep(5)
  await postgres.start()
}

async function survivors({ sequelize, read }: Stage, write: Write): Promise<number> {
  for (let id = 1; id <= WRITES; id += 1) await write(sequelize, id)
  await crash()
  return (await read('SELECT id FROM notes')).length
}

describe.each([
  ['direct', false],
  ['PgBouncer', true],
] as const)('a crash of the server, %s', (_way, pooled) => {
  describe.skipIf(pooled && !hasPgBouncer()).each(SETTERS)('synchronous_commit is %s', (_setter, setter) => {
    it.each(WAYS_TO_WRITE)('%s keep every row that was confirmed', async (_name, write) => {
      await withStage({ setter, pooled, durable: true }, async stage => {
        expect(await survivors(stage, write)).toBe(WRITES)
      })
    })
  })
})

it('loses confirmed rows without `durable`', async () => {
  await withStage({ setter: SETTERS[0][1], pooled: false, durable: false }, async stage => {
    expect(await survivors(stage, (sequelize, id) => insert(sequelize, id))).toBeLessThan(WRITES)
  })
})

it.each([
  ['off', 'on'],
  ['local', 'on'],
  ['remote_write', 'remote_write'],
  ['on', 'on'],
  ['remote_apply', 'remote_apply'],
])('commits under %s as under %s', async (given, level) => {
  await withStage({ setter: `ALTER ROLE writer SET synchronous_commit = ${given}`, pooled: false, durable: true }, async ({ sequelize, read }) => {
    for (const [id, [, write]] of WAYS_TO_WRITE.entries()) await write(sequelize, id)
    const levels = await read<{ level: string }>('SELECT DISTINCT level FROM notes')
    // A unit that lowers it itself is raised to `on`.
    expect(new Set(levels.map(row => row.level))).toEqual(new Set([level, 'on']))
  })
})

it.each([
  ['CALL', 'CALL call_note(2)'],
  ['DO', "DO 'BEGIN INSERT INTO notes (id) VALUES (2); END'"],
  ['several statements', 'SELECT 1; INSERT INTO notes (id) VALUES (2)'],
])('raises %s as the first statement of a direct connection', async (_name, text) => {
  await withStage({ setter: SETTERS[0][1], pooled: false, durable: true }, async ({ sequelize, read }) => {
    await sequelize.query(text)
    expect((await read<{ level: string }>('SELECT level FROM notes')).map(row => row.level)).toEqual(['on'])
  })
})

describe.each([
  ['direct', false],
  ['PgBouncer', true],
] as const)('the first statement, %s', (_way, pooled) => {
  it.skipIf(pooled && !hasPgBouncer()).each([
    ['an insert behind a comment', ['/* route: a */ INSERT INTO notes (id) VALUES (1)']],
    ['an insert with a semicolon in a value', ["INSERT INTO notes (id) VALUES (length(';'))"]],
    ['a transaction that a raw statement begins', ['BEGIN', 'INSERT INTO notes (id) VALUES (1)', 'COMMIT']],
  ])('raises %s', async (_name, texts) => {
    await withStage({ setter: SETTERS[0][1], pooled, durable: true }, async ({ sequelize, read }) => {
      for (const text of texts) await sequelize.query(text)
      expect((await read<{ level: string }>('SELECT level FROM notes')).map(row => row.level)).toEqual(['on'])
    })
  })
})

it('raises the unit of an instance that is not durable when one asks for it', async () => {
  await withStage({ setter: SETTERS[0][1], pooled: false, durable: false }, async ({ sequelize, read }) => {
    await sequelize.execute('asked', ({ query }) => query('INSERT INTO notes (id) VALUES (1)'), { durable: true })
    await sequelize.execute('not asked', ({ query }) => query('INSERT INTO notes (id) VALUES (2)'))
    await sequelize.execute('asked within', () =>
      sequelize.execute('inner', ({ query }) => query('INSERT INTO notes (id) VALUES (3)'), { durable: true }),
    )
    expect((await read<{ level: string }>('SELECT level FROM notes ORDER BY id')).map(row => row.level)).toEqual(['on', 'off', 'on'])
  })
})
