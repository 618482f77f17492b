import { expect, it } from 'vitest'
import { main } from '../../packages/api/health/index.ts'
import { main as migrate } from '../../packages/ops/migrate/index.ts'
import { call, withFunctions } from '../support/functions.ts'

it('is alive without a database and connects to none', async () => {
  await withFunctions([main], async database => {
    expect(await call(main, {})).toMatchObject({ statusCode: 200, body: { status: 'pass' } })
    expect(
      await database.query("SELECT * FROM pg_stat_activity WHERE application_name LIKE 'api/health:%' AND datname = current_database()"),
    ).toEqual([])
  })
})

it('passes with a database that answers, on one connection that it keeps', async () => {
  await withFunctions([main], async database => {
    const answer = await call(main, { path: '/database' })
    expect(answer).toMatchObject({
      statusCode: 200,
      body: {
        status: 'pass',
        connection: { state: 'ready', generation: 1, pool: { size: 1, idle: 1, inUse: 0, waiting: 0, max: 1 }, lastErrorCode: null },
      },
    })
    await call(main, { path: '/database' })
    const sessions = await database.query(
      "SELECT (SELECT ssl FROM pg_stat_ssl s WHERE s.pid = a.pid) AS tls FROM pg_stat_activity a WHERE application_name LIKE 'api/health:%' AND datname = current_database()",
    )
    expect(sessions).toEqual([{ tls: true }])
  })
})

it('connects with direct TLS to a server that takes it, and so do migrations', async () => {
  await withFunctions(
    [main, migrate],
    async () => {
      expect(await call(main, { path: '/database' })).toMatchObject({ statusCode: 200, body: { status: 'pass' } })
      expect(await migrate({})).toMatchObject({ applied: [] })
    },
    { DB_TLS_NEGOTIATION: 'direct' },
  )
})

it('fails with a database that is away, and tells its code but neither host nor user', async () => {
  await withFunctions(
    [main],
    async database => {
      const answer = await call(main, { path: '/database' })
      expect(answer).toMatchObject({ statusCode: 503, body: { status: 'fail', connection: { lastErrorCode: 'ECONNREFUSED' } } })
      expect(JSON.stringify(answer)).not.toContain(database.connectionSettings.host)
      expect(JSON.stringify(answer)).not.toContain(database.connectionSettings.user)
    },
    { DB_PORT: '1' },
  )
})

it('answers its schedule with an object', async () => {
  await withFunctions([main], async () => {
    expect(await main({ source: 'schedule' })).toMatchObject({ status: 'pass' })
  })
})

it('names the variables that are missing', async () => {
  await withFunctions(
    [main],
    async () => {
      expect(await call(main, { path: '/database' })).toMatchObject({
        statusCode: 503,
        body: { code: 'settings-invalid', variables: ['DB_HOST', 'DB_PASSWORD'] },
      })
    },
    { DB_HOST: undefined, DB_PASSWORD: 'none' },
  )
})

it('refuses a server whose certificate is for another name', async () => {
  await withFunctions(
    [main],
    async () => {
      expect(await call(main, { path: '/database' })).toMatchObject({
        statusCode: 503,
        body: { connection: { lastErrorCode: 'ERR_TLS_CERT_ALTNAME_INVALID' } },
      })
    },
    // Resolves to the same address, but is not what the certificate says.
    { DB_HOST: '127.1' },
  )
})
