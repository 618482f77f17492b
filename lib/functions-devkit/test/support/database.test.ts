import pg from 'pg'
import { afterEach, describe, expect, inject, it, vi } from 'vitest'
import { withConnection } from '../../src/server/postgres/connection.ts'
import { createTestDatabase, withDatabase, type TestDatabase } from './database.ts'

afterEach(() => void vi.restoreAllMocks())

async function exists(name: string): Promise<boolean> {
  return withConnection(inject('postgres'), 'postgres', async client => {
    return (await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])).rowCount === 1
  })
}

describe('createTestDatabase', () => {
  it('has every migration applied and no rows', async () => {
    const database = await createTestDatabase()
    const tables = await database.query<{ name: string }>("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
    expect(tables.map(({ name }) => name)).toContain('schema_migrations')
    await database.drop()
  })

  it('has no table when it is to be empty', async () => {
    const database = await createTestDatabase({ empty: true })
    expect(await database.query("SELECT * FROM pg_tables WHERE schemaname = 'public'")).toEqual([])
    await database.drop()
  })

  it('is nobody else’s', async () => {
    const [one, other] = await Promise.all([createTestDatabase({ empty: true }), createTestDatabase({ empty: true })])
    await one.query('CREATE TABLE mine ()')
    expect(await other.query("SELECT to_regclass('mine') AS found")).toEqual([{ found: null }])
    await Promise.all([one.drop(), other.drop()])
  })

  it('can be reached with verified TLS', async () => {
    const database = await createTestDatabase({ empty: true })
    const { authority, ...address } = database.connectionSettings
    const client = new pg.Client({ ...address, ssl: { ca: authority, minVersion: 'TLSv1.2' } })
    await client.connect()
    expect((await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')).rows).toEqual([{ ssl: true }])
    await client.end()
    await database.drop()
  })

  it('opens another connection for query after the server has ended the one before', async () => {
    const database = await createTestDatabase({ empty: true })
    await expect(database.query('SELECT pg_terminate_backend(pg_backend_pid())')).rejects.toMatchObject({ code: '57P01' })
    await expect.poll(() => database.query('SELECT 1 AS one').catch(() => [])).toEqual([{ one: 1 }])
    await database.drop()
  })

  it('fails to drop while a session is open, names it, and is gone all the same', async () => {
    const database = await createTestDatabase({ empty: true })
    const leak = new pg.Client({ connectionString: database.url, application_name: 'leaky/function' })
    leak.on('error', () => {})
    await leak.connect()
    await leak.query('SELECT 42 AS forgotten')
    await expect(database.drop()).rejects.toThrow(/1 session\(s\) still open in test_[^]*leaky\/function, idle, pid \d+: SELECT 42 AS forgotten/)
    expect(await exists(database.name)).toBe(false)
    await leak.end().catch(() => {})
  })
})

describe('withDatabase', () => {
  it('returns what the test returns and drops the database', async () => {
    const name = await withDatabase(async database => database.name, { empty: true })
    expect(name).toMatch(/^test_/)
    expect(await exists(name)).toBe(false)
  })

  it('prints what the tables held when the test fails, and passes its error on', async () => {
    const printed = vi.spyOn(console, 'error').mockReturnValue()
    let database: TestDatabase | undefined
    const failure = new Error('the finding')
    const failing = withDatabase(
      async given => {
        database = given
        await given.query('CREATE TABLE users AS SELECT 1 AS id')
        throw failure
      },
      { empty: true },
    )
    await expect(failing).rejects.toBe(failure)
    expect(printed).toHaveBeenCalledWith(`Rows in ${database?.name} when the test failed: public.users: 1`)
    expect(await exists(database?.name ?? '')).toBe(false)
  })
})
