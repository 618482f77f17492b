import { randomBytes } from 'node:crypto'
import { afterAll, describe, expect, inject, it } from 'vitest'
import { migrate, ResilientSequelize, type ResilientOptions } from '../../src/index.ts'
import { refuseUnsupported } from '../../src/wire/supported-server.ts'
import { hasPgBouncer, startPgBouncer } from '../../../postgres-faults/src/pgbouncer.ts'
import { withConnection } from '../../../functions-devkit/src/server/postgres/connection.ts'

// What cannot work is refused at the first connection, in words that name the cure. A standby is waited for.

const ENCODINGS = ['LATIN1', 'SQL_ASCII', 'WIN1252', 'EUC_KR'] as const
const WAYS = [['direct', false] as const, ...(hasPgBouncer() ? [['PgBouncer', true] as const] : [])]
const server = inject('postgres')
const made: string[] = []

const admin = (text: string) => withConnection(server, 'postgres', client => client.query(text))

async function databaseWith(encoding: string): Promise<string> {
  const name = `encoding_${randomBytes(4).toString('hex')}`
  await admin(`CREATE DATABASE ${name} ENCODING '${encoding}' TEMPLATE template0 LOCALE 'C'`)
  made.push(name)
  return name
}

afterAll(async () => {
  for (const name of made) await admin(`DROP DATABASE ${name} WITH (FORCE)`)
})

async function withInstance(name: string, pooled: boolean, work: (sequelize: ResilientSequelize) => Promise<void>, options: ResilientOptions = {}) {
  const pooler = pooled ? await startPgBouncer({ server }) : undefined
  const { host, port } = pooler ?? server
  const sequelize = new ResilientSequelize(name, server.user, server.password, { host, port, logging: false, pool: { acquire: 5_000 }, ...options })
  try {
    await work(sequelize)
  } finally {
    await sequelize.gracefulShutdown()
    await pooler?.stop()
  }
}

const migrations = [
  { name: '01-notes', up: async ({ query }: { query: (text: string) => Promise<unknown> }) => void (await query('CREATE TABLE notes ()')) },
]
const CALLS: Readonly<Record<string, (sequelize: ResilientSequelize) => Promise<unknown>>> = {
  'a stand-alone call': sequelize => sequelize.query('SELECT 1'),
  'a unit': sequelize => sequelize.execute('unit', ({ query }) => query('SELECT 1')),
  'a transaction': sequelize => sequelize.transaction(transaction => sequelize.query('SELECT 1', { transaction })),
  'authenticate()': sequelize => sequelize.authenticate(),
  'connect()': sequelize => sequelize.connect(),
}
const refusal = (encoding: string) => ({
  code: 'unsupported-server',
  retryable: false,
  message: `The encoding of the database is ${encoding}, which cannot hold every text; it has to be UTF8. Create a database with ENCODING 'UTF8' and TEMPLATE template0, and copy the rows into it.`,
})

describe.each(ENCODINGS)('a database with the encoding %s', encoding => {
  it.each(WAYS)('refuses every first call, %s', async (_way, pooled) => {
    const name = await databaseWith(encoding)
    for (const call of Object.values(CALLS))
      await withInstance(name, pooled, sequelize => expect(call(sequelize)).rejects.toMatchObject(refusal(encoding)))
  })

  it('refuses migrations before any statement', async () => {
    const name = await databaseWith(encoding)
    await withInstance(name, false, sequelize => expect(migrate({ sequelize, migrations })).rejects.toMatchObject(refusal(encoding)))
    const tables = await withConnection(server, name, client => client.query("SELECT FROM pg_tables WHERE schemaname = 'public'"))
    expect(tables.rowCount).toBe(0)
  })
})

it.each(['9.6.24', '10.23', '13.23 (Debian 13.23-1)', '13beta1'])('refuses PostgreSQL %s by its version', version => {
  expect(() => refuseUnsupported({ server_version: version, server_encoding: 'UTF8' })).toThrow(
    expect.objectContaining({ code: 'unsupported-server', message: expect.stringContaining('upgrade the server to 14 or later') as string }) as Error,
  )
})

it.each(['14.0', '18.4', '19beta1', '16.3 (Ubuntu 16.3-1)', undefined])('takes PostgreSQL %s', version => {
  expect(() => refuseUnsupported({ server_version: version, server_encoding: 'UTF8' })).not.toThrow()
})

describe('a database that is read only by its settings', () => {
  async function withReadOnly(pooled: boolean, work: (sequelize: ResilientSequelize, lines: unknown[]) => Promise<void>) {
    const name = await databaseWith('UTF8')
    await withConnection(server, name, client => client.query('CREATE TABLE notes (id int); INSERT INTO notes VALUES (1)'))
    await admin(`ALTER DATABASE ${name} SET default_transaction_read_only = on`)
    const lines: unknown[] = []
    const note = (line: unknown) => void lines.push(line)
    const logger = { debug: note, info: note, warn: note, error: note }
    await withInstance(name, pooled, sequelize => work(sequelize, lines), { resilience: { logger } })
  }

  it.each(WAYS)('serves reads and says why it takes no writes, %s', async (_way, pooled) => {
    await withReadOnly(pooled, async (sequelize, lines) => {
      expect(await sequelize.query('SELECT id FROM notes', { plain: true })).toEqual({ id: 1 })
      expect(lines).toContainEqual(expect.objectContaining({ event: 'database.server.read-only' }))
      await expect(sequelize.execute('write', ({ query }) => query('INSERT INTO notes VALUES (2)'))).rejects.toMatchObject({
        code: 'database-busy',
        message: 'The database takes no writes at the moment: it is a standby, or set to read only.',
      })
    })
  })

  it('refuses migrations in words', async () => {
    await withReadOnly(false, async sequelize => {
      await expect(migrate({ sequelize, migrations })).rejects.toMatchObject({
        code: 'server-read-only',
        message: expect.stringContaining('default_transaction_read_only') as string,
      })
    })
  })
})
