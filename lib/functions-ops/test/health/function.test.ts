import { expect, it } from 'vitest'
import { main } from '../../../functions-devkit/test/application/packages/api/health/index.ts'
import { main as migrate } from '../../../functions-devkit/test/application/packages/ops/migrate/index.ts'
import { call, withFunctions } from '../../../functions-devkit/test/support/functions.ts'
import { healthKey, knowing } from '../../../functions-devkit/test/support/health.ts'

// Other tests may fill the server that they share.
const KEY = { HEALTH_KEY: healthKey, ALERT_CONNECTIONS_PERCENT: '100' }
const sessionsOf = "SELECT * FROM pg_stat_activity WHERE application_name LIKE 'api/health%' AND datname = current_database()"

it('is alive without a database and connects to none', async () => {
  await withFunctions([main], async database => {
    expect(await call(main, {})).toMatchObject({
      statusCode: 200,
      body: { status: 'pass' },
      headers: { 'content-type': 'application/health+json', 'cache-control': 'no-store' },
    })
    expect(await database.query(sessionsOf)).toEqual([])
  })
})

it('is ready with a database that answers, on one connection that it keeps', async () => {
  await withFunctions(
    [main],
    async database => {
      for (const path of ['/ready', '/database']) expect(await call(main, { path })).toMatchObject({ statusCode: 200, body: { status: 'pass' } })
      expect(await database.query(sessionsOf)).toHaveLength(1)
      const { body } = await call(main, { path: '/database', headers: knowing })
      expect(body).toMatchObject({
        status: 'pass',
        checks: {
          'database:responseTime': [{ status: 'pass', observedUnit: 'ms' }],
          'database:role': [{ observedValue: 'primary' }],
          'database:version': [{ observedValue: expect.stringMatching(/^\d+/) as string }],
          'database:connections': [{ status: 'pass', observedValue: expect.any(Number) as number }],
          'database:certificate': [{ observedValue: expect.any(Number) as number, observedUnit: 'days' }],
          'database:lastError': [{ observedValue: null }],
          'pool:generation': [{ observedValue: 1 }],
          'pool:inUse': [{ observedValue: 0 }],
          'pool:idle': [{ observedValue: 1 }],
          'pool:max': [{ observedValue: 1 }],
          'breaker:state': [{ observedValue: 'closed' }],
        },
      })
    },
    KEY,
  )
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

it('tells nobody without the key more than the status, whatever goes wrong', async () => {
  const strangers: Record<string, string>[] = [{}, { authorization: `Bearer ${healthKey}x` }, { authorization: 'Bearer ' }]
  for (const changes of [KEY, { ...KEY, DB_PORT: '1' }, { ...KEY, DB_HOST: undefined }, { ...KEY, DB_PASSWORD: 'wrong' }, { HEALTH_KEY: 'none' }]) {
    await withFunctions(
      [main],
      async () => {
        for (const headers of strangers) {
          for (const path of ['', '/ready', '/database']) {
            const answer = await call(main, { path, headers })
            expect(Object.keys(answer.body)).toEqual(['status'])
            expect(Object.keys(answer.headers).sort()).toEqual(['cache-control', 'content-type', 'x-request-id'])
          }
          const refused = await call(main, { path: '/metrics', headers })
          expect(refused).toMatchObject({ statusCode: 401, body: { code: 'key-invalid' } })
          expect(Object.keys(refused.headers).sort()).toEqual(['content-type', 'www-authenticate', 'x-request-id'])
        }
      },
      changes,
    )
  }
})

it('tells the code of what is wrong to whoever has the key, and neither host nor user', async () => {
  await withFunctions(
    [main],
    async database => {
      const answer = await call(main, { path: '/database', headers: knowing })
      expect(answer).toMatchObject({
        statusCode: 503,
        body: {
          status: 'fail',
          checks: {
            'database:responseTime': [{ status: 'fail', output: 'ECONNREFUSED', affectedEndpoints: ['/webhook/{source}', '/user'] }],
            'database:connections': [{ status: 'unknown' }],
            'database:lastError': [{ observedValue: 'ECONNREFUSED' }],
          },
        },
      })
      const { host, user } = database.connectionSettings
      for (const secret of [host, user]) expect(JSON.stringify(answer)).not.toContain(secret)
    },
    { ...KEY, DB_PORT: '1' },
  )
})

it('stays alive with settings that are wrong, and names them to whoever has the key', async () => {
  await withFunctions(
    [main],
    async () => {
      expect(await call(main, {})).toMatchObject({ statusCode: 200 })
      expect(await call(main, { path: '/ready' })).toMatchObject({ statusCode: 503, body: { status: 'fail' } })
      expect(await call(main, { path: '/ready', headers: knowing })).toMatchObject({
        statusCode: 503,
        body: {
          checks: {
            'settings:variables': [{ status: 'fail', observedValue: 'DB_HOST DB_PASSWORD ALERT_URL' }],
            'database:responseTime': [{ status: 'unknown', output: 'settings-invalid' }],
          },
        },
      })
      expect(main.settingIssues().map(({ variable }) => variable)).toEqual(['DB_HOST', 'DB_PASSWORD', 'ALERT_URL', 'ALERT_SECRET'].slice(0, 3))
      expect(await main({ source: 'schedule' })).toMatchObject({ status: 'fail', recorded: false })
    },
    { ...KEY, DB_HOST: undefined, DB_PASSWORD: 'none', ALERT_URL: 'http://example.com/hook', ALERT_SECRET: `whsec_${'A'.repeat(32)}` },
  )
})

it('stays alive with a level of the log that is none, and says so', async () => {
  await withFunctions(
    [main],
    async () => {
      expect(await call(main, {})).toMatchObject({ statusCode: 200, body: { status: 'pass' } })
      expect(await call(main, { path: '/ready', headers: knowing })).toMatchObject({
        statusCode: 503,
        headers: { 'content-type': 'application/health+json' },
        body: { status: 'fail', checks: { 'settings:variables': [{ observedValue: 'LOG_LEVEL' }], 'database:responseTime': [{ status: 'pass' }] } },
      })
    },
    { ...KEY, LOG_LEVEL: 'loud' },
  )
})

it('refuses a server whose certificate is for another name', async () => {
  await withFunctions(
    [main],
    async () => {
      expect(await call(main, { path: '/database', headers: knowing })).toMatchObject({
        statusCode: 503,
        body: { checks: { 'database:responseTime': [{ output: 'ERR_TLS_CERT_ALTNAME_INVALID' }] } },
      })
    },
    // Resolves to the same address, but is not what the certificate says.
    { ...KEY, DB_HOST: '127.1' },
  )
})

it('records each run of its schedule in one row, and tells of a change', async () => {
  await withFunctions([main], async database => {
    expect(await main({ source: 'schedule', task: 'health' })).toMatchObject({ status: 'pass', recorded: true, heartbeat: null })
    await main.shutdown()
    await database.query("DELETE FROM schema_migrations WHERE name = '2026-11-30-erased-users'")
    expect(await main({ source: 'schedule', task: 'health' })).toMatchObject({ status: 'fail', recorded: true })
    const rows = await database.query<{ status: string }>('SELECT status, checks FROM health_checks ORDER BY id')
    expect(rows).toMatchObject([{ status: 'pass' }, { status: 'fail', checks: { 'database:migrations': [{ status: 'fail', observedValue: 1 }] } }])
  })
})
