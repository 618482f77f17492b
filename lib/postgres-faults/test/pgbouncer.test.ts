import pg from 'pg'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { hasPgBouncer, startPgBouncer } from '../src/pgbouncer.ts'

const { host, port, user, password } = inject('postgres')
const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function start() {
  const pooler = await startPgBouncer({ server: { host, port, user, password } })
  cleanUps.push(() => pooler.stop())
  const connect = async () => {
    const client = new pg.Client({ host: pooler.host, port: pooler.port, user, password, database: 'postgres' })
    client.on('error', () => {})
    await client.connect()
    return client
  }
  return { pooler, connect }
}

describe.skipIf(!hasPgBouncer())('a PgBouncer', () => {
  test.each(['SIGTERM', 'SIGKILL'] as const)('restarted by %s cuts a transaction off and serves on the same port', async signal => {
    const { pooler, connect } = await start()
    const { pid } = pooler
    const client = await connect()
    await client.query('BEGIN')
    await pooler.restart(signal)
    await expect(client.query('SELECT 1')).rejects.toThrow()
    expect(pooler.pid).not.toBe(pid)
    const later = await connect()
    expect((await later.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    await later.end()
  })

  test('restarted by SIGINT lets a transaction end first', async () => {
    const { pooler, connect } = await start()
    const client = await connect()
    await client.query('BEGIN')
    const restarted = pooler.restart('SIGINT')
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    await client.query('COMMIT')
    await restarted
    await (await connect()).end()
  })
})
