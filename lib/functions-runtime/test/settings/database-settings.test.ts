import { describe, expect, it } from 'vitest'
import { databaseSettings, migrationSettings } from '../../src/database/settings.ts'

const url = 'postgresql://ann:p%40ss%2Fw%23rd@db.example.com:25060/shop?sslmode=require'

describe('databaseSettings', () => {
  it.each([
    [{ DB_PORT: 'abc', DB_CA_CERT: 'garbage', DB_HOST: 'h' }, ['DB_PORT', 'DB_NAME', 'DB_USER', 'DB_PASSWORD', 'DB_CA_CERT']],
    [{ DB_CONNECTION_URL: 'postgres://a:b@c/d', DB_CA_CERT: 'garbage', DB_POOL_MIN: '9' }, ['DB_CA_CERT', 'DB_POOL_MIN']],
    [{ DB_CONNECTION_URL: 'postgres://a:b@c/d', DB_HOST: 'other', DB_PORT: '1' }, ['DB_HOST', 'DB_PORT']],
  ])('reports everything that is wrong with %j', (environment, variables) => {
    expect(databaseSettings.parse(environment).issues?.map(issue => issue.variable)).toEqual(variables)
  })

  it.each([
    ['the port of connection pools', { DB_PORT: '25061' }, true],
    ['DB_POOLER=transaction', { DB_POOLER: 'transaction' }, true],
    ['another port', { DB_PORT: '25060' }, false],
    ['DB_POOLER=none', { DB_POOLER: 'none' }, false],
  ])('knows by %s whether there is a pooler', (_by, more, pooled) => {
    const parts = { DB_HOST: '127.0.0.1', DB_NAME: 'd', DB_USER: 'u', DB_PASSWORD: 'p' }
    expect(databaseSettings.parse({ ...parts, ...more }).value?.pooled).toBe(pooled)
  })

  it('refuses a kind of pooler that it does not know', () => {
    const parts = { DB_HOST: '127.0.0.1', DB_NAME: 'd', DB_USER: 'u', DB_PASSWORD: 'p' }
    expect(databaseSettings.parse({ ...parts, DB_POOLER: 'session' }).issues).toMatchObject([{ variable: 'DB_POOLER' }])
  })

  it('uses the function profile unless told otherwise', () => {
    const { value } = databaseSettings.parse({ DB_CONNECTION_URL: url })
    expect(value?.profile.pool).toEqual({ max: 1, min: 0, acquireMs: 10_000, idleMs: 60_000, evictMs: 10_000 })
    expect(value?.profile.idleSessionMs).toBe(240_000)
  })

  it('takes the parts instead of a URL', () => {
    const { value } = databaseSettings.parse({
      DB_HOST: 'localhost',
      DB_PORT: '6543',
      DB_NAME: 'n',
      DB_USER: 'u',
      DB_PASSWORD: 'p',
      DB_CONNECTION_URL: 'none',
    })
    expect(value).toMatchObject({ host: 'localhost', port: 6543, name: 'n', user: 'u', password: 'p', tls: { mode: 'off' } })
  })

  it('names the parts that are missing', () => {
    expect(databaseSettings.parse({ DB_HOST: 'h', DB_USER: 'u' }).issues?.map(issue => issue.variable)).toEqual(['DB_NAME', 'DB_PASSWORD'])
  })

  it('asks for the URL when there is nothing at all', () => {
    expect(databaseSettings.parse({}).issues).toEqual([
      { variable: 'DB_CONNECTION_URL', reason: 'is missing, and so are DB_HOST, DB_NAME, DB_USER and DB_PASSWORD' },
    ])
  })

  it('reports a bad URL and a bad CA together', () => {
    expect(databaseSettings.parse({ DB_CONNECTION_URL: 'x', DB_CA_CERT: 'y' }).issues?.map(issue => issue.variable)).toEqual([
      'DB_CONNECTION_URL',
      'DB_CA_CERT',
    ])
  })

  it('refuses a DB_SSLMODE that contradicts the URL', () => {
    expect(databaseSettings.parse({ DB_CONNECTION_URL: url, DB_SSLMODE: 'disable' }).issues?.[0]?.variable).toBe('DB_SSLMODE')
  })

  it('refuses to turn TLS off for a managed database, wherever that was asked', () => {
    const managed = 'postgres://a:b@x.db.ondigitalocean.com:25060/d'
    expect(databaseSettings.parse({ DB_CONNECTION_URL: `${managed}?sslmode=disable` }).issues?.[0]?.variable).toBe('DB_CONNECTION_URL')
    expect(databaseSettings.parse({ DB_CONNECTION_URL: managed, DB_SSLMODE: 'disable' }).issues?.[0]?.variable).toBe('DB_SSLMODE')
  })

  it('asks for TLS in the protocol unless it is to begin directly', () => {
    const tlsOf = (changes: Record<string, string>) => databaseSettings.parse({ DB_CONNECTION_URL: url, ...changes }).value?.tls
    expect(tlsOf({})).toMatchObject({ negotiation: 'postgres' })
    expect(tlsOf({ DB_TLS_NEGOTIATION: 'direct' })).toMatchObject({ negotiation: 'direct' })
  })

  it('refuses direct TLS where there is none', () => {
    const local = { DB_CONNECTION_URL: 'postgres://a:b@localhost/d', DB_TLS_NEGOTIATION: 'direct' }
    expect(databaseSettings.parse(local).issues).toEqual([
      { variable: 'DB_TLS_NEGOTIATION', reason: 'asks for direct TLS where the connection has none' },
    ])
  })

  it('refuses a smallest pool above the largest', () => {
    expect(databaseSettings.parse({ DB_CONNECTION_URL: url, DB_POOL_MIN: '3', DB_POOL_MAX: '2' }).issues?.[0]?.variable).toBe('DB_POOL_MIN')
  })
})

describe('DB_SCHEMA', () => {
  const parse = (name: string | undefined) => databaseSettings.parse({ DB_CONNECTION_URL: url, ...(name === undefined ? {} : { DB_SCHEMA: name }) })

  it('is public unless it is set', () => {
    expect(parse(undefined).value?.schema).toBe('public')
    expect(parse('none').value?.schema).toBe('public')
    expect(migrationSettings.parse({ DB_CONNECTION_URL: url, DB_SCHEMA: 'none' }).value?.schema).toBe('public')
  })

  it.each(['functions', 'WeirdName', 'select', 'user', '_x9', 'a'.repeat(63)])('takes %s as it is written', name => {
    expect(parse(name).value?.schema).toBe(name)
    expect(migrationSettings.parse({ DB_CONNECTION_URL: url, DB_SCHEMA: name }).value?.schema).toBe(name)
  })

  it.each(['Weird Name', 'with"quote', "it's", 'a.b', '9x', 'a$b', 'a-b', 'é', 'a;b', 'a'.repeat(64), 'pg_catalog', 'PG_mine', 'information_schema'])(
    'refuses %s by name',
    name => {
      expect(parse(name).issues).toMatchObject([{ variable: 'DB_SCHEMA' }])
    },
  )
})

describe('migrationSettings', () => {
  it('prefers the direct connection', () => {
    const { value } = migrationSettings.parse({ DB_CONNECTION_URL: url, DB_MIGRATION_URL: 'postgres://m:n@direct.example.com/shop' })
    expect(value).toMatchObject({ host: 'direct.example.com', user: 'm', profile: { idleSessionMs: 0 } })
  })

  it('falls back to the main connection', () => {
    expect(migrationSettings.parse({ DB_CONNECTION_URL: url }).value).toMatchObject({ host: 'db.example.com' })
  })
})
