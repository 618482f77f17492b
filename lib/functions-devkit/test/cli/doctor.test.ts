import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { findDoctl } from '../../src/cli/doctl/doctl.ts'
import { describeFindings, examine, statusOf, type DoctorOptions } from '../../src/cli/doctor/doctor.ts'
import { judgePooler } from '../../src/cli/doctor/database/judge.ts'
import { findPoolerVersion } from '../../src/cli/doctor/database/pooler.ts'
import { readSettings } from '../../../functions-runtime/src/settings/settings.ts'
import { databaseSettings } from '../../../functions-runtime/src/database/settings.ts'
import { hidingSecrets } from '../../src/cli/doctor/secrecy.ts'
import { SIZES_FILE } from '../../src/build/sizes.ts'
import { checkTree } from '../../src/cli/doctor/project.ts'
import { placeholderEnvironment } from '../../../doctl-project-schema/src/index.ts'
import { migrations } from '../application/lib/app/migrations/index.ts'
import { makeCertificates, type CertificateOptions } from '../../../postgres-faults/src/certificates.ts'
import { sourceTable } from '../application/lib/app/webhooks/sources.ts'
import { copyCheckout, type Checkout } from '../support/checkout.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createDoctl, type DoctlFaults } from '../support/doctl.ts'
import { exampleVariables } from '../support/environment-file.ts'
import { startFakePostgres } from '../support/fake-postgres.ts'
import { hasPgBouncer, startPgBouncer } from '../../../postgres-faults/src/pgbouncer.ts'
import { readForCheckout } from '../support/tested-application.ts'
import { hasRedis, startRedis, type RedisServer } from '../support/redis.ts'
import { startFront } from '../support/tls-front.ts'

const server = inject('postgres')
const role = { user: `doctor_${randomBytes(4).toString('hex')}`, password: `secret-${randomBytes(12).toString('hex')}` }
const folder = mkdtempSync(join(tmpdir(), 'doctor-'))
const doctl = createDoctl()
const outside = { ...process.env }
const example = exampleVariables(readForCheckout('project.yml').toString())
let examined: Checkout
let database: TestDatabase
let redis: RedisServer | undefined
const poolers = new Map<string, Awaited<ReturnType<typeof startPgBouncer>>>()

// A user who owns the database and is no superuser, as on the managed one.
beforeAll(async () => {
  examined = copyCheckout(['lib', 'packages', 'build.sh', 'project.yml', 'package.json', 'package-lock.json', 'tsconfig.json'])
  Object.assign(process.env, doctl.environment)
  database = await createTestDatabase()
  await database.query(`CREATE ROLE ${role.user} LOGIN PASSWORD '${role.password}'`)
  await database.query(`ALTER DATABASE ${database.name} OWNER TO ${role.user}`)
  await database.query(`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${role.user}`)
  if (hasRedis()) redis = await startRedis()
  if (hasPgBouncer()) {
    const modes = ['transaction', 'session', 'statement']
    const started = await Promise.all(modes.map(mode => startPgBouncer({ server: { ...server, ...role }, settings: { pool_mode: mode } })))
    modes.forEach((mode, index) => started[index] && poolers.set(mode, started[index]))
  }
})
afterAll(async () => {
  Object.assign(process.env, outside)
  doctl[Symbol.dispose]()
  for (const pooler of poolers.values()) await pooler.stop()
  await redis?.stop()
  const { user, password, host, port } = server
  await database.drop()
  const admin = new pg.Client({ user, password, host, port, database: 'postgres' })
  await admin.connect()
  await admin.query(`DROP ROLE IF EXISTS ${role.user}`)
  await admin.end()
  rmSync(folder, { recursive: true })
  examined.remove()
})

type Changes = Readonly<Record<string, string | undefined>>

const address = (changes: Partial<Record<'user' | 'password' | 'host' | 'port' | 'name' | 'sslmode', string | number>> = {}) => {
  const { user, password, host, port, name, sslmode } = {
    ...role,
    host: server.host,
    port: server.port,
    name: database.name,
    sslmode: 'verify-full',
    ...changes,
  }
  return `postgresql://${user}:${password}@${host}:${port}/${name}?sslmode=${sslmode}`
}

/** Variables with which all is well. */
function soundVariables(): Record<string, string> {
  return {
    ...example,
    DB_CONNECTION_URL: address(),
    DB_CA_CERT: server.authority,
    API_KEYS: `shop/users:read/${'ab'.repeat(32)}`,
    WEBHOOK_SECRET_DEMO: `whsec_${randomBytes(32).toString('base64')}`,
    WEBHOOK_SECRET_GITHUB: randomBytes(24).toString('hex'),
    PAYLOAD_KEY: randomBytes(32).toString('base64'),
    ...(redis === undefined ? {} : { REDIS_URL: redis.url }),
  }
}

async function doctor(changes: Changes = {}, options: Partial<DoctorOptions> = {}) {
  const variables = Object.fromEntries(Object.entries({ ...soundVariables(), ...changes }).filter(([, value]) => value !== undefined))
  const file = join(folder, '.env')
  writeFileSync(file, JSON.stringify(variables))
  const findings = await examine({
    checkout: examined.folder,
    file,
    shell: {},
    containers: 60,
    build: false,
    doctl: findDoctl(examined.folder),
    ...options,
  })
  const text = describeFindings(findings) + JSON.stringify(findings)
  // No secret is shown, and none had to be taken out.
  expect(hidingSecrets(variables as Record<string, string>)(text)).toBe(text)
  expect(text).not.toContain('[hidden]')
  const bad = findings.filter(({ status }) => status !== 'ok')
  for (const { cure } of bad) expect(cure).toMatch(/\S/)
  return { findings, status: statusOf(findings), lines: bad.map(({ check, status, reason, cure }) => `${status} ${check}: ${reason} → ${cure}`) }
}

async function behindFront(certificate: CertificateOptions | undefined, settings: (door: { port: number; authority: string }) => Changes) {
  const { authority, ...pair } = certificate === undefined ? { authority: '' } : await makeCertificates(certificate)
  const front = await startFront({ port: server.port, certificate: 'certificate' in pair ? pair : undefined })
  try {
    return await doctor(settings({ port: front.port, authority }))
  } finally {
    front.stop()
  }
}

async function whileSql(before: string, after: string, changes: Changes = {}) {
  await database.query(before)
  try {
    return await doctor(changes)
  } finally {
    await database.query(after)
  }
}

async function withRedisSettings(settings: Record<string, string>, urlOf = (url: string) => url) {
  const other = await startRedis(settings)
  try {
    return await doctor({ REDIS_URL: urlOf(other.url) })
  } finally {
    await other.stop()
  }
}

const freePort = async () => {
  const taken = createServer()
  await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve))
  const { port } = taken.address() as AddressInfo
  await new Promise(resolve => taken.close(resolve))
  return port
}

async function withPort<Result>(answer: (socket: Socket) => unknown, work: (port: number) => Promise<Result>): Promise<Result> {
  const server = createServer(socket => void answer(socket.on('error', () => undefined)))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  try {
    return await work((server.address() as AddressInfo).port)
  } finally {
    server.close()
  }
}

const withSilentPort = <Result>(work: (port: number) => Promise<Result>) => withPort(() => undefined, work)

/** A server on which all is well but for what it says of itself. */
async function onFakeServer(changes: Record<string, string>) {
  const row = {
    pid: '77',
    version: '180004',
    maxConnections: '100',
    reserved: '3',
    sessions: '1',
    superuser: '',
    standby: '',
    readOnly: '',
    encoding: 'UTF8',
    synchronousCommit: 'on',
    fsync: 't',
    fullPageWrites: 't',
    schema: 'public',
    schemaExists: 't',
    comment: '',
    plain: '',
    owned: '',
    columns: '',
    mayCreate: 't',
    closedTables: '',
  }
  const fake = await startFakePostgres({ ...row, at: String(Date.now()), there: '', ...changes })
  try {
    return await doctor({ DB_CONNECTION_URL: address({ port: fake.port, sslmode: 'disable' }), DB_CA_CERT: 'none' })
  } finally {
    fake.stop()
  }
}

const DAY_MS = 86_400_000
const limited = `${role.user}_limited`
const asLimited = () => ({ DB_CONNECTION_URL: address({ user: limited }) })
const makeLimited = `CREATE ROLE ${limited} LOGIN PASSWORD '${role.password}'`
const dropLimited = `DROP OWNED BY ${limited}; DROP ROLE ${limited}`

type Broken = readonly [title: string, run: () => ReturnType<typeof doctor>, line: RegExp]

const BROKEN: readonly Broken[] = [
  [
    'a wrong password',
    () => doctor({ DB_CONNECTION_URL: address({ password: 'wrong-password' }) }),
    /^fail log-in: the user or the password is wrong → correct DB_CONNECTION_URL; special/,
  ],
  [
    'a wrong password, in parts',
    () =>
      doctor({
        DB_CONNECTION_URL: 'none',
        DB_HOST: server.host,
        DB_PORT: String(server.port),
        DB_NAME: database.name,
        DB_USER: role.user,
        DB_PASSWORD: 'wrong-password',
      }),
    /^fail log-in: .* → correct DB_USER and DB_PASSWORD/,
  ],
  [
    'an unknown database',
    () => doctor({ DB_CONNECTION_URL: address({ name: 'nowhere' }) }),
    /^fail log-in: there is no database of that name → .*DB_CONNECTION_URL/,
  ],
  [
    'an expired certificate',
    () =>
      behindFront({ endsAt: new Date(Date.now() - DAY_MS) }, ({ port, authority }) => ({
        DB_CONNECTION_URL: address({ port }),
        DB_CA_CERT: authority,
      })),
    /^fail certificate: .*has expired → renew it/,
  ],
  [
    'an expired certificate that nobody verifies',
    () =>
      behindFront({ endsAt: new Date(Date.now() - 3 * DAY_MS) }, ({ port }) => ({
        DB_CONNECTION_URL: address({ port, sslmode: 'require' }),
        DB_CA_CERT: 'none',
      })),
    /^warn certificate: has expired 3 days ago/,
  ],
  [
    'a certificate that ends soon',
    () =>
      behindFront({ endsAt: new Date(Date.now() + 9.5 * DAY_MS) }, ({ port, authority }) => ({
        DB_CONNECTION_URL: address({ port }),
        DB_CA_CERT: authority,
      })),
    /^warn certificate: ends in 9 days → renew it/,
  ],
  [
    'the CA of another server',
    async () => doctor({ DB_CA_CERT: (await makeCertificates()).authority }),
    /^fail certificate: .*not from the CA in DB_CA_CERT → .*Download CA certificate/,
  ],
  [
    'a certificate for another host',
    () => behindFront({ host: 'db.example.com' }, ({ port, authority }) => ({ DB_CONNECTION_URL: address({ port }), DB_CA_CERT: authority })),
    /^fail certificate: .*for another host → .*DB_CONNECTION_URL/,
  ],
  [
    'a server without TLS where it is asked for',
    () => behindFront(undefined, ({ port }) => ({ DB_CONNECTION_URL: address({ port, sslmode: 'require' }), DB_CA_CERT: 'none' })),
    /^fail tls: the server speaks no TLS → turn TLS on/,
  ],
  [
    'direct TLS where nobody takes it',
    () => behindFront({}, ({ port, authority }) => ({ DB_CONNECTION_URL: address({ port }), DB_CA_CERT: authority, DB_TLS_NEGOTIATION: 'direct' })),
    /^fail tls: .*with the first byte → DB_TLS_NEGOTIATION=none/,
  ],
  [
    'a server that nobody verifies',
    () => doctor({ DB_CA_CERT: 'none', DB_CONNECTION_URL: address({ sslmode: 'require' }) }),
    /^warn tls: .*to whom is not known → DB_CA_CERT/,
  ],
  [
    'a user who may not connect',
    () =>
      whileSql(
        `${makeLimited}; REVOKE CONNECT ON DATABASE ${database.name} FROM PUBLIC`,
        `GRANT CONNECT ON DATABASE ${database.name} TO PUBLIC; ${dropLimited}`,
        asLimited(),
      ),
    /^fail log-in: the user may not connect .*→ GRANT CONNECT/,
  ],
  [
    'a user who may not use the schema',
    () =>
      whileSql(`${makeLimited}; REVOKE USAGE ON SCHEMA public FROM PUBLIC`, `GRANT USAGE ON SCHEMA public TO PUBLIC; ${dropLimited}`, asLimited()),
    /^fail rights: the user may not use the schema public.* → GRANT USAGE, CREATE/,
  ],
  [
    'a schema that does not exist and that the user may not create',
    async () =>
      whileSql(`REVOKE CREATE ON DATABASE ${database.name} FROM PUBLIC; ${makeLimited}`, dropLimited, { ...asLimited(), DB_SCHEMA: 'nowhere' }),
    /^warn rights: there is no schema nowhere, and the user may not create it → an administrator runs: CREATE SCHEMA "nowhere"/,
  ],
  [
    'another tool’s schema_migrations in the schema',
    () =>
      whileSql(
        'CREATE SCHEMA theirs; CREATE TABLE theirs.schema_migrations (version text); GRANT USAGE ON SCHEMA theirs TO PUBLIC',
        'DROP SCHEMA theirs CASCADE',
        { DB_SCHEMA: 'theirs' },
      ),
    /^fail migrations: schema_migrations is another tool’s table → DB_SCHEMA/,
  ],
  [
    'a user who may not create tables',
    () => whileSql(makeLimited, dropLimited, asLimited()),
    /^warn rights: the user may create no tables.* → DB_MIGRATION_URL/,
  ],
  [
    'a user who may not write',
    () => whileSql(makeLimited, dropLimited, asLimited()),
    /^fail rights: .*not read and write activities, .*transactions, .*users.* → GRANT SELECT/,
  ],
  [
    'a superuser',
    () => doctor({ DB_CONNECTION_URL: address({ user: server.user, password: server.password }) }),
    /^warn rights: the user is a superuser.* → create a user/,
  ],
  [
    'a server that takes no writes',
    () =>
      whileSql(
        `ALTER DATABASE ${database.name} SET default_transaction_read_only = on`,
        `SET default_transaction_read_only = off; ALTER DATABASE ${database.name} RESET default_transaction_read_only`,
      ),
    /^fail rights: the server takes no writes: default_transaction_read_only is on.* → .*RESET/,
  ],
  [
    'a server with no connection left',
    () => whileSql(`ALTER ROLE ${role.user} CONNECTION LIMIT 0`, `ALTER ROLE ${role.user} CONNECTION LIMIT -1`),
    /^fail log-in: the server has no connection left → .*connection pool/,
  ],
  [
    'too few connections for so many containers',
    () => doctor({ DB_CROWDED_AT: '0' }, { containers: 2000 }),
    /^fail connections: .*too few for 2000 containers.* → DB_CROWDED_AT=none/,
  ],
  [
    'containers that have to take turns',
    () => doctor({}, { containers: 2000 }),
    /^warn connections: .*of 2000 containers \d+ keep theirs.* → a connection pool/,
  ],
  [
    'a name that does not resolve',
    () => doctor({ DB_CONNECTION_URL: address({ host: 'database.invalid' }) }),
    /^fail address: the name .* does not resolve → correct the host in DB_CONNECTION_URL/,
  ],
  [
    'a port where nobody listens',
    async () => doctor({ DB_CONNECTION_URL: address({ port: await freePort() }) }),
    /^fail address: nothing listens .* → correct the port/,
  ],
  ...(['none', 'direct'] as const).flatMap((negotiation): Broken[] => [
    [
      `a port that says nothing, TLS negotiation ${negotiation}`,
      () => withSilentPort(port => doctor({ DB_CONNECTION_URL: address({ port }), DB_TLS_NEGOTIATION: negotiation })),
      /^fail log-in: the port takes the connection and says nothing → .*trusted sources.*DB_CONNECTION_URL/,
    ],
  ]),
  [
    'a port for migrations that says nothing',
    () => withSilentPort(port => doctor({ DB_MIGRATION_URL: address({ port }) })),
    /^fail migrations: through DB_MIGRATION_URL: the port takes the connection and says nothing → /,
  ],
  [
    'a port of Redis that says nothing',
    () => withSilentPort(port => doctor({ REDIS_URL: `redis://:pass-word@127.0.0.1:${port}` })),
    /^fail buffer: the port takes the connection and says nothing → .*REDIS_URL/,
  ],
  [
    'a port that closes at once',
    () =>
      withPort(
        socket => socket.end(),
        port => doctor({ DB_CONNECTION_URL: address({ port, sslmode: 'disable' }), DB_CA_CERT: 'none' }),
      ),
    /^fail log-in: the server closes the connection before the log-in → .*trusted sources/,
  ],
  [
    'a port that resets what it has read',
    () =>
      withPort(
        socket => socket.once('data', () => socket.resetAndDestroy()),
        port => doctor({ DB_CONNECTION_URL: address({ port, sslmode: 'require' }), DB_CA_CERT: 'none' }),
      ),
    /^fail log-in: the server closes the connection before the log-in → .*trusted sources/,
  ],
  [
    'a port of another protocol',
    () =>
      withPort(
        socket => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
        port => doctor({ DB_CONNECTION_URL: address({ port, sslmode: 'require' }), DB_CA_CERT: 'none' }),
      ),
    /^fail log-in: what answers on the port is not PostgreSQL → correct the port in DB_CONNECTION_URL/,
  ],
  ['a clock that is ten minutes slow', () => doctor({}, { now: () => Date.now() - 600_000 }), /^fail clock: .* 600 s behind .* → set the clock/],
  ['a clock that is five seconds fast', () => doctor({}, { now: () => Date.now() + 5_000 }), /^warn clock: .* 5 s ahead of .* → set the clock/],
  [
    'a pending migration',
    () =>
      whileSql(
        `CREATE TABLE kept AS SELECT * FROM schema_migrations; DELETE FROM schema_migrations WHERE name = '${migrations.at(-1)?.name}'`,
        'INSERT INTO schema_migrations SELECT * FROM kept ON CONFLICT DO NOTHING; DROP TABLE kept',
      ),
    new RegExp(`^warn migrations: pending: ${migrations.at(-1)?.name} → npm run deploy`),
  ],
  [
    'a migration that was changed after it was applied',
    () =>
      whileSql(
        'CREATE TABLE kept AS SELECT * FROM schema_migrations; UPDATE schema_migrations SET digest = repeat($$0$$, 64) WHERE name LIKE $$%first-tables$$',
        'UPDATE schema_migrations m SET digest = k.digest FROM kept k WHERE k.name = m.name; DROP TABLE kept',
      ),
    /^fail migrations: not what was applied .*first-tables → git restore/,
  ],
  [
    'a database that is ahead',
    () =>
      whileSql("INSERT INTO schema_migrations (name) VALUES ('2030-01-01-later')", "DELETE FROM schema_migrations WHERE name = '2030-01-01-later'"),
    /^warn migrations: applied there, and not in this checkout: 2030-01-01-later → git pull/,
  ],
  [
    'a variable that is not there at all',
    () => doctor({ LOG_LEVEL: undefined }),
    /^fail settings: LOG_LEVEL is absent or empty \(api\/webhook, api\/user, .*→ give LOG_LEVEL a value/,
  ],
  [
    'a variable that no function can do without',
    () => doctor({ API_KEYS: 'none' }),
    /^fail settings: API_KEYS is missing \(api\/user\) → npm run keys/,
  ],
  [
    'a scope that no operation names',
    () => doctor({ API_KEYS: `shop/users:read,users:raed/${'ab'.repeat(32)}` }),
    /^warn settings: API_KEYS gives the key shop the scope users:raed, which no operation names → correct it .*: users:read users:write/,
  ],
  ['a malformed variable', () => doctor({ DB_POOL_MAX: 'many' }), /^fail settings: DB_POOL_MAX is no whole number .* → correct DB_POOL_MAX/],
  [
    'an address that is no URL',
    () => doctor({ DB_CONNECTION_URL: 'postgresql://user:pa%ss@host/db' }),
    /^fail settings: DB_CONNECTION_URL has a percent sign in its password .* → correct DB_CONNECTION_URL/,
  ],
  ['a weak secret', () => doctor({ WEBHOOK_SECRET_GITHUB: 'tenletters' }), /^warn secrets: WEBHOOK_SECRET_GITHUB is short.* → .*openssl rand/],
  [
    'a sample for a secret',
    () => doctor({ WEBHOOK_SECRET_GITHUB: 'your-webhook-secret' }),
    /^fail settings: WEBHOOK_SECRET_GITHUB holds a sample .* → put a secret of your own/,
  ],
  [
    'one secret for two senders',
    () => doctor({ WEBHOOK_SECRET_GITHUB: 'x'.repeat(32), WEBHOOK_SECRET_PARTNER: 'x'.repeat(32) }),
    /^warn secrets: WEBHOOK_SECRET_GITHUB and WEBHOOK_SECRET_PARTNER are the same/,
  ],
  ['no key for payloads', () => doctor({ PAYLOAD_KEY: 'none' }), /^warn secrets: PAYLOAD_KEY is none.* → npm run secrets prints a value/],
  ['a server that is too old', () => onFakeServer({ version: '130012' }), /^fail version: PostgreSQL 13 is too old.* → upgrade to PostgreSQL 14/],
  ...['LATIN1', 'SQL_ASCII', 'WIN1252'].map((encoding): Broken => [
    `a database in ${encoding}`,
    () => onFakeServer({ encoding }),
    new RegExp(`^fail encoding: .*is ${encoding}, which cannot hold every text.* → .*ENCODING 'UTF8' and TEMPLATE template0`),
  ]),
  ['a standby', () => onFakeServer({ standby: 't' }), /^fail rights: .*it is a standby → the address of the primary/],
  ['a server without fsync', () => onFakeServer({ fsync: '' }), /^warn durability: fsync is off.* → fsync = on/],
  ['a server without full pages', () => onFakeServer({ fullPageWrites: '' }), /^warn durability: full_page_writes is off.* → full_page_writes = on/],
  [
    'a pooler that is declared and not there',
    () => doctor({ DB_POOLER: 'transaction' }),
    /^warn pooler: .*the connection is direct → DB_POOLER=none/,
  ],
]

const throughPooler = (mode: string, changes: Changes = {}) =>
  doctor({
    DB_CONNECTION_URL: address({ port: poolers.get(mode)?.port ?? 0, sslmode: 'disable' }),
    DB_CA_CERT: 'none',
    DB_POOLER: 'transaction',
    DB_MIGRATION_URL: address({ sslmode: 'require' }),
    ...changes,
  })
const direct = () => address({ sslmode: 'disable' })

const BROKEN_POOLERS: readonly Broken[] = [
  [
    'a pooler in session mode',
    () => throughPooler('session', { DB_MIGRATION_URL: direct() }),
    /^fail pooler: in session mode.* → set the pool to transaction mode/,
  ],
  [
    'a pooler in statement mode',
    () => throughPooler('statement', { DB_MIGRATION_URL: direct() }),
    /^fail pooler: in statement mode.* → set the pool to transaction mode/,
  ],
  [
    'a pooler that no setting tells of',
    () => throughPooler('transaction', { DB_POOLER: 'none', DB_MIGRATION_URL: direct() }),
    /^warn pooler: in transaction mode, which no setting tells.* → DB_POOLER=transaction/,
  ],
  [
    'migrations through a pooler',
    () => throughPooler('transaction', { DB_MIGRATION_URL: 'none' }),
    /^fail migrations: they cannot go through a pooler → DB_MIGRATION_URL/,
  ],
  [
    'migrations that are led to a pooler',
    () => throughPooler('transaction', { DB_MIGRATION_URL: address({ port: poolers.get('transaction')?.port ?? 0, sslmode: 'disable' }) }),
    /^fail migrations: DB_MIGRATION_URL leads to a pooler → DB_MIGRATION_URL with the address of the database itself/,
  ],
  [
    'another wrong password, for migrations alone',
    () => throughPooler('transaction', { DB_MIGRATION_URL: address({ sslmode: 'disable', password: 'wrong-password' }) }),
    /^fail migrations: through DB_MIGRATION_URL: the user or the password is wrong/,
  ],
]

const BROKEN_BUFFERS: readonly Broken[] = [
  [
    'a Redis that is a replica',
    () => withRedisSettings({ replicaof: '127.0.0.1 1' }),
    /^fail buffer: is a replica.* → the address of the primary in REDIS_URL/,
  ],
  ['a Redis that keeps nothing', () => withRedisSettings({ appendonly: 'no' }), /^fail buffer: is not durable.* → appendonly yes/],
  [
    'a Redis that throws data away',
    () => withRedisSettings({ 'maxmemory-policy': 'allkeys-lru' }),
    /^fail buffer: throws data away .* → maxmemory-policy noeviction/,
  ],
  [
    'a Redis that is not there',
    async () => doctor({ REDIS_URL: `redis://:pass-word@127.0.0.1:${await freePort()}` }),
    /^fail buffer: cannot be reached → .*REDIS_URL/,
  ],
  [
    'a Redis with another password',
    () => doctor({ REDIS_URL: redis?.url.replace(/:[^:@]+@/, ':wrong-password@') }),
    /^fail buffer: refuses the user or the password → .*REDIS_URL/,
  ],
]

/** What is said of the server of the test run, which keeps nothing on purpose. */
const NOT_DURABLE = [expect.stringMatching(/^warn durability: fsync is off/), expect.stringMatching(/^warn durability: full_page_writes is off/)]
// The server of the tests is not durable, and the machine may be slow.
const besidesServer = (lines: readonly string[]) => lines.filter(line => !/^warn (?:durability|trip): /.test(line))

// A check that is stuck shows as a test that is.
const LONGEST_MS = 15_000

describe('the doctor', () => {
  it('finds nothing where all is well', async () => {
    const { status, lines, findings } = await doctor()
    expect(lines.filter(line => !line.includes('has not ended'))).toEqual(NOT_DURABLE)
    expect(status).toBe(1)
    expect([...new Set(findings.map(({ check }) => check))].sort()).toEqual(
      'address buffer certificate clock connections doctl durability encoding log-in migrations pooler project rights schedules secrets settings tls trip version'.split(
        ' ',
      ),
    )
  })

  it.each(BROKEN)('names %s, and the cure', { timeout: LONGEST_MS }, async (_title, run, line) => {
    const { lines, status } = await run()
    expect(lines).toContainEqual(expect.stringMatching(line))
    expect(status).toBe(lines.some(one => one.startsWith('fail')) ? 2 : 1)
  })

  describe.runIf(hasPgBouncer())('behind a pooler', () => {
    it('finds nothing where all is well', async () => {
      expect((await throughPooler('transaction', { DB_MIGRATION_URL: direct() })).lines).toEqual(NOT_DURABLE)
    })
    it.each(BROKEN_POOLERS)('names %s, and the cure', { timeout: LONGEST_MS }, async (_title, run, line) => {
      expect((await run()).lines).toContainEqual(expect.stringMatching(line))
    })
  })

  describe.runIf(hasRedis())('with a buffer', () => {
    it.each(BROKEN_BUFFERS)('names %s, and the cure', { timeout: LONGEST_MS }, async (_title, run, line) => {
      expect((await run()).lines).toContainEqual(expect.stringMatching(line))
    })
  })

  it.each<[string, DoctlFaults, RegExp]>([
    [
      'without a connection',
      { notConnected: true },
      /^warn doctl: is not connected to a namespace .* → doctl auth init, .*doctl serverless key create .*--access-key <key>$/,
    ],
    ['with a legacy connection', { legacy: true }, /^warn doctl: is connected with the token of the namespace, .*3 June 2026 → .*--access-key/],
    ['without an API token', { noToken: true }, /^warn doctl: has no API token → doctl auth init with an API token .*--access-key/],
    [
      'whose token may not manage triggers',
      { triggersUnreadable: true },
      /^fail doctl: may not manage the schedules of project\.yml \(.*403.*\) → doctl auth init with an API token/,
    ],
    ['with JSON errors', { triggersUnreadable: true, outputJson: true }, /^fail doctl: may not manage the schedules .*403/],
  ])('names a doctl %s', async (_what, faults, line) => {
    doctl.setFaults(faults)
    try {
      expect((await doctor()).lines).toContainEqual(expect.stringMatching(line))
    } finally {
      doctl.setFaults({})
    }
  })

  it('names a doctl that is not installed', async () => {
    const before = process.env.PATH
    process.env.PATH = '/nonexistent'
    try {
      expect(besidesServer((await doctor()).lines)).toEqual([
        expect.stringMatching(/^warn doctl: is not installed.* → .*reference\/doctl\/how-to\/install.*--access-key/),
      ])
    } finally {
      process.env.PATH = before
    }
  })

  it.each(['1.9.0', '1.10.0', '0.9'])('names a PgBouncer %s that is too old', version => {
    const settings = readSettings({ database: databaseSettings }, soundVariables()).database
    expect(judgePooler('transaction', { settings, refusesStartUp: false, version })).toMatchObject({
      status: 'fail',
      reason: `PgBouncer ${version} is too old`,
      cure: 'PgBouncer 1.11 or later',
    })
  })

  it.each(['pgbouncer version 1.9.0', 'PgBouncer version 1.9.0'])(
    'reads the version of a PgBouncer that tells it with a notice: %s',
    async notice => {
      const console = await startFakePostgres({ pid: '1' }, { notice })
      const url = `postgres://u:p@127.0.0.1:${console.port}/app?sslmode=disable`
      const { database: settings } = readSettings({ database: databaseSettings }, { DB_CONNECTION_URL: url })
      try {
        expect(await findPoolerVersion(settings)).toBe('1.9.0')
      } finally {
        console.stop()
      }
    },
  )

  it.each(['off', 'local'])('says that synchronous_commit %s is raised', async level => {
    const fake = { synchronousCommit: level }
    expect((await onFakeServer(fake)).findings).toContainEqual({
      check: 'durability',
      status: 'ok',
      reason: `synchronous_commit is ${level}; the functions raise it for what they write`,
    })
  })

  it('says what to do when there is no file of variables', async () => {
    const { findings } = await doctor({}, { file: 'nowhere.env' })
    expect(findings).toEqual([
      { check: 'settings', status: 'fail', reason: 'there is no nowhere.env', cure: 'cp .env.example .env, then fill it in' },
    ])
  })

  it('says what to do when the file of variables cannot be read', async () => {
    const { findings } = await doctor({}, { file: 'lib' })
    expect(findings).toEqual([
      { check: 'settings', status: 'fail', reason: 'lib cannot be read (EISDIR)', cure: 'name a file that you may read: --env FILE' },
    ])
  })

  it('reports once that no sender has a secret', async () => {
    const all = Object.values(sourceTable).map(({ secrets }) => secrets)
    const { lines } = await doctor(Object.fromEntries(all.map(name => [name, 'none'])))
    expect(lines.filter(line => line.includes('WEBHOOK_SECRET'))).toEqual([
      `fail settings: ${all.join(', ')} are none: no sender has a secret (api/webhook) → npm run secrets prints one for WEBHOOK_SECRET_DEMO; for another sender, its own`,
    ])
  })

  it('names a variable that a function reads and project.yml drops', async () => {
    const checkout = copyCheckout(['lib', 'packages', 'build.sh', 'project.yml', 'package.json'])
    try {
      const text = readFileSync(join(checkout.folder, 'project.yml'), 'utf8')
      checkout.write(
        'project.yml',
        text.replace(' API_KEYS)', ')').replaceAll('LOG_LEVEL', 'DB_HOST').replaceAll('<<: $(', 'LOG_LEVEL: info\n          <<: $('),
      )
      const { lines } = await doctor({}, { checkout: checkout.folder })
      expect(besidesServer(lines)).toEqual(['fail project: project.yml: api/user gets API_KEYS → Run npm run sync'])
    } finally {
      checkout.remove()
    }
  })

  it('names a public function that does not say why it is open', async () => {
    const checkout = copyCheckout(['lib', 'packages', 'build.sh', 'project.yml', 'package.json'])
    try {
      const file = 'packages/api/health/index.ts'
      const text = readFileSync(join(checkout.folder, file), 'utf8')
      checkout.write(file, text.replace(/ +openBecause: .*\n/, ''))
      const { lines } = await doctor({}, { checkout: checkout.folder })
      expect(lines).toContainEqual(expect.stringMatching(/^warn project: .*public-without-authentication:api\/health/))
    } finally {
      checkout.remove()
    }
  })

  it('names a value of the file that the shell puts another over', async () => {
    const { lines } = await doctor({}, { shell: { LOG_LEVEL: 'debug' } })
    expect(lines).toContainEqual(expect.stringMatching(/^warn project: .*another value for LOG_LEVEL/))
  })

  it.each([
    [
      'does not parse',
      'export const main = defineFunction({\n  name:: 1\n})\n',
      /^fail functions: packages\/api\/user\/index\.ts:2: .* → correct the file/,
    ],
    ['throws', 'throw new Error("at the top")\n', /^fail functions: packages\/api\/user\/index\.ts:1: at the top → correct/],
    [
      'imports a missing file',
      "import './nothing.ts'\n",
      /^fail functions: packages\/api\/user\/index\.ts:1: there is no file packages\/api\/user\/nothing\.ts/,
    ],
    ['exports no main', 'export {}\n', /^fail functions: packages\/api\/user\/index\.ts: exports no main that defineFunction made/],
  ])('names the place of a function that %s', async (_what, text, line) => {
    const checkout = copyCheckout(['lib', 'packages', 'build.sh', 'project.yml', 'package.json'])
    try {
      checkout.write('packages/api/user/index.ts', text)
      const { lines } = await doctor({}, { checkout: checkout.folder })
      expect(besidesServer(lines)).toEqual([expect.stringMatching(line)])
    } finally {
      checkout.remove()
    }
  })

  it.each([
    [
      'a cron that the platform refuses',
      (text: string) => text.replace('*/5 * * * *', '@hourly'),
      /^fail schedules: .*@daily are not known.* → Write five fields/,
    ],
    [
      'too many schedules',
      (text: string) =>
        text.replace(/(\n {10}- name: )(health-every)((?:.*\n)+?)(?= {2}- name: ops)/, '$1$2$3          - name: b$3          - name: c$3'),
      /^fail schedules: .*more than three triggers.* → Take one out/,
    ],
    [
      'a schedule that is off',
      (text: string) => text.replace('enabled: true', 'enabled: false'),
      /^warn schedules: switched off: health-every-5-minutes → write enabled: true/,
    ],
    [
      'a project file with an unknown key',
      (text: string) => text.replace('    functions:', '    websecure: true\n    functions:'),
      /^fail project: project\.yml:\d+ .*the key is not known/,
    ],
    [
      'a function that would be public by mistake',
      (text: string) => text.replace('web: false', 'web: true'),
      /^fail project: project\.yml: ops\/migrate is private → Run npm run sync/,
    ],
  ])('names %s, and the cure', async (_title, change, line) => {
    const checkout = copyCheckout(['build.sh', 'lib', 'package.json', 'packages', 'project.yml'])
    try {
      const before = readFileSync(join(checkout.folder, 'project.yml'), 'utf8')
      const text = change(before)
      expect(text).not.toBe(before)
      checkout.write('project.yml', text)
      const lines = (await checkTree(checkout.folder, placeholderEnvironment(text), [])).map(
        ({ check, status, reason, cure }) => `${status} ${check}: ${reason} → ${cure}`,
      )
      expect(lines).toContainEqual(expect.stringMatching(line))
    } finally {
      checkout.remove()
    }
  })

  it.each([
    ['fails', 'over its own ceiling', { ceiling: 1000 }, /^fail build: api\/user has \d+ bytes, \d+ over its ceiling of 1000/],
    ['warns', 'over the general size', {}, /^warn build: api\/user has \d+ bytes, \d+ over the 1100000 /],
  ])('%s for a bundle %s', { timeout: LONGEST_MS }, async (_what, _size, user, expected) => {
    const { checkBuild } = await import('../../src/cli/doctor/project.ts')
    const checkout = copyCheckout(['lib', 'packages', 'build.sh', 'project.yml', 'package.json', 'package-lock.json', 'tsconfig.json'])
    try {
      checkout.write(SIZES_FILE, JSON.stringify({ warnAbove: 1_100_000, functions: { 'api/user': user } }))
      const lines = (await checkBuild(checkout.folder)).map(({ check, status, reason }) => `${status} ${check}: ${reason}`)
      expect(lines).toContainEqual(expect.stringMatching(expected))
    } finally {
      checkout.remove()
    }
  })

  it('takes secrets out of whatever text they get into, longest first, and leaves other words alone', () => {
    const hide = hidingSecrets({
      DB_CONNECTION_URL: 'postgres://user:p%40ssword@host/db',
      WEBHOOK_SECRET_STRIPE: 'first-secret first-secret-and-more',
      API_KEYS: 'none',
      LOG_LEVEL: 'info',
    })
    expect(hide('p@ssword p%40ssword first-secret-and-more first-secret none info user')).toBe('[hidden] [hidden] [hidden] [hidden] none info user')
  })
})

describe('npm run doctor', () => {
  const run = (...words: string[]) =>
    spawnSync(process.execPath, [join(examined.folder, 'lib/functions-devkit/src/cli/doctor.ts'), ...words], {
      cwd: examined.folder,
      encoding: 'utf8',
      env: { PATH: process.env.PATH ?? '', DOCTL_STATE: doctl.environment.DOCTL_STATE },
    })

  it('says how it is used and what its status means', () => {
    expect(run('--help')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/0 no findings, 1 warnings, 2 a failed check/) as unknown,
    })
    for (const words of [['--containers', 'many'], ['--containers', '0'], ['--fix'], ['now']]) {
      expect(run(...words)).toMatchObject({ status: 2, stderr: expect.stringContaining('usage: npm run doctor') as unknown })
    }
  })

  it('ends with 1 after warnings and with 2 when something is in the way, as lines or as JSON', { timeout: 60_000 }, () => {
    const file = join(folder, 'command.env')
    const write = (changes: Changes) => writeFileSync(file, JSON.stringify({ ...soundVariables(), ...changes }))
    write({ PAYLOAD_KEY: 'none' })
    const warned = run('--env', file, '--json', '--containers', '20')
    expect(warned.status).toBe(1)
    const findings = JSON.parse(warned.stdout) as { check: string; status: string }[]
    expect(findings.filter(({ status }) => status !== 'ok').map(({ check }) => check)).toEqual(['durability', 'durability', 'secrets'])
    expect(findings.map(({ check }) => check)).toContain('build')
    write({ DB_CONNECTION_URL: address({ password: 'wrong-password' }) })
    const failed = run('--env', file)
    expect([failed.status, failed.stderr]).toEqual([2, ''])
    expect(failed.stdout).toMatch(/^fail {2}log-in +the user or the password is wrong\n +→ correct DB_CONNECTION_URL/m)
  })

  it('ends with 2, and not as if there were warnings, when it cannot do its work', () => {
    const file = join(folder, 'example.env')
    writeFileSync(file, JSON.stringify(example))
    const program = join(examined.folder, 'lib/functions-devkit/src/cli/doctor.ts')
    const args = ['--import', 'data:text/javascript,process.execPath="/nowhere"', program, '--env', file]
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: examined.folder, encoding: 'utf8', env: { PATH: process.env.PATH ?? '' } })
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching(/^doctor could not run: .*ENOENT/) as string })
  })
})
