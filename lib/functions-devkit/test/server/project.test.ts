import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { localSettings } from '../../src/server/local-settings.ts'
import { readProject } from '../../src/server/project.ts'

const TEXT = `packages:
  - name: api
    functions:
      - name: user
        runtime: nodejs:24
        web: raw
        limits: { timeout: 10000, memory: 256 }
        environment:
          <<: $(DB_CONNECTION_URL DB_HOST DB_POOL_MAX LOG_LEVEL API_KEYS)
          GREETING: hello
  - name: ops
    functions:
      - name: migrate
        runtime: nodejs:24
        web: false
        environment:
          <<: $(DB_CONNECTION_URL DB_MIGRATION_URL)
`
const SECRETS = { webhookSecret: 'whsec_AAAA', apiKey: 'key_local', databasePassword: 'unused' }
const LOCAL_KEY = `local/-/${createHash('sha256').update('key_local').digest('hex')}`
const URL_HERE = 'postgres://functions:p@127.0.0.1:5000/functions'

function read(environment: Record<string, string> = {}) {
  return readProject({
    text: TEXT,
    local: localSettings({ databaseUrl: URL_HERE, secrets: SECRETS }),
    environment,
  })
}

describe('the project on this machine', () => {
  test('has the functions of project.yml with their mode and time limit', () => {
    expect(read().functions).toEqual([
      { name: 'user', qualifiedName: 'api/user', web: 'raw', timeoutMs: 10_000, memoryMb: 256 },
      { name: 'migrate', qualifiedName: 'ops/migrate', web: false, timeoutMs: 3_000, memoryMb: 256 },
    ])
  })

  test('gives the functions the local values, what the file says, and none for the rest', () => {
    expect(read().settings).toEqual({
      DB_CONNECTION_URL: URL_HERE,
      DB_MIGRATION_URL: URL_HERE,
      DB_HOST: 'none',
      DB_POOL_MAX: 'none',
      LOG_LEVEL: 'none',
      API_KEYS: LOCAL_KEY,
      GREETING: 'hello',
    })
  })

  test('takes settings of .env.local, but never addresses or secrets', () => {
    const file = {
      DB_POOL_MAX: '3',
      LOG_LEVEL: 'debug',
      DB_HOST: 'production.example',
      DB_CONNECTION_URL: 'postgres://production',
      DB_MIGRATION_URL: 'postgres://production',
      API_KEYS: 'production/users:read/00',
    }
    expect(read(file).settings).toMatchObject({
      DB_POOL_MAX: '3',
      LOG_LEVEL: 'debug',
      DB_HOST: 'none',
      DB_CONNECTION_URL: URL_HERE,
      DB_MIGRATION_URL: URL_HERE,
      API_KEYS: LOCAL_KEY,
    })
  })

  test('passes the local values also where project.yml has literal ones', () => {
    const literal = (...names: string[]) => `{ ${names.map(name => `${name}: of-production`).join(', ')} }`
    const [ofProject, ofPackage, ofFunction] = [
      ['DB_HOST', 'REDIS_URL', 'PGHOST', 'PGPASSWORD'],
      ['ALERT_URL', 'HEARTBEAT_URL', 'API_KEYS', 'PGPORT'],
      ['DB_CONNECTION_URL', 'REDIS_CA_CERT', 'HEALTH_KEY', 'PGUSER', 'PGDATABASE'],
    ]
    const text = `environment: ${literal(...ofProject)}
packages:
  - name: api
    environment: ${literal(...ofPackage)}
    functions:
      - { name: user, runtime: nodejs:24, web: raw, environment: ${literal(...ofFunction, 'GREETING', 'LOG_LEVEL', 'DB_SCHEMA')} }
`
    const local = localSettings({ databaseUrl: URL_HERE, secrets: SECRETS })
    const project = readProject({ text, local, environment: { DB_HOST: 'of-production' } })
    const passed = project.environmentOf('api/user')
    expect(Object.keys(passed)).toEqual(expect.arrayContaining([...ofProject, ...ofPackage, ...ofFunction]))
    expect(Object.entries(passed).flatMap(([name, value]) => (value === 'of-production' ? [name] : []))).toEqual([
      'GREETING',
      'LOG_LEVEL',
      'DB_SCHEMA',
    ])
    expect(passed).toMatchObject({ DB_CONNECTION_URL: URL_HERE, PGHOST: '127.0.0.1', PGPORT: '5000', PGUSER: 'functions', PGPASSWORD: 'p' })
    expect(project.settings).toEqual(passed)
  })

  test('has the schedules with the event that the platform sends: parameters, and the body over them', () => {
    const text = `packages:
  - name: ops
    parameters: { region: fra, task: from-package }
    functions:
      - name: prune
        runtime: nodejs:24
        web: false
        parameters: { region: ams }
        triggers:
          - { name: nightly, type: SCHEDULED, enabled: false, scheduledDetails: { cron: "0 3 * * *", body: { task: prune } } }
          - { name: hourly, type: SCHEDULED, scheduledDetails: { cron: "0 * * * *" } }
      - name: plain
        runtime: nodejs:24
        web: false
        triggers:
          - { name: often, type: SCHEDULED, scheduledDetails: { cron: "* * * * *" } }
  - name: other
    functions:
      - name: plain
        runtime: nodejs:24
        web: false
        parameters: { region: nowhere }
`
    expect(readProject({ text: `parameters: { stage: local }\n${text}`, local: {}, environment: {} }).schedules).toEqual([
      {
        name: 'nightly',
        qualifiedName: 'ops/prune',
        enabled: false,
        cron: '0 3 * * *',
        event: { stage: 'local', region: 'ams', task: 'prune' },
      },
      {
        name: 'hourly',
        qualifiedName: 'ops/prune',
        enabled: true,
        cron: '0 * * * *',
        event: { stage: 'local', region: 'ams', task: 'from-package' },
      },
      { name: 'often', qualifiedName: 'ops/plain', enabled: true, cron: '* * * * *', event: { stage: 'local', region: 'fra', task: 'from-package' } },
    ])
  })
})
