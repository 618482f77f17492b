import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { main } from '../../../lib/functions-devkit/test/application/packages/api/user/index.ts'
import { writeKey } from '../../../lib/functions-runtime/src/settings/api-keys.ts'
import { digestOf } from '../../../lib/functions-runtime/src/edge/auth.ts'
import { databaseUrl, withConnection } from '../../../lib/functions-devkit/src/server/postgres/connection.ts'
import { dataRootFor } from '../../../lib/functions-devkit/src/server/postgres/data-root.ts'
import { startPostgres } from '../../../lib/functions-devkit/src/server/postgres/local-postgres.ts'
import { makeCertificates } from '../../../lib/postgres-faults/src/certificates.ts'
import { startProxyInChild, type ProxyInChild } from '../../../lib/postgres-faults/src/proxy/proxy-in-child.ts'
import { makeServerFolder, removeAbandonedServers } from '../../../lib/postgres-faults/src/server-folder.ts'
import { migrate } from '../../../lib/functions-devkit/test/support/templates.ts'

const SEED =
  "INSERT INTO users (id, email, name, created_at, updated_at) VALUES ('0198c0de-0000-7000-8000-000000000001', 'seed@example.com', 'Seed', now(), now())"
const API_KEY = 'key_of-the-bench-0123456789'
const API_KEYS = writeKey({ name: 'bench', scopes: main.scopes, digest: digestOf(API_KEY) })
const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

/** One way's own database, and its own proxy to it. */
export interface Track {
  readonly proxy: ProxyInChild
  readonly environment: Readonly<Record<string, string>>
  /** Has the server end its sessions. */
  endSessions(): Promise<void>
}

export interface Stage extends AsyncDisposable {
  readonly version: string
  openTrack(name: string): Promise<Track>
}

/** Starts one PostgreSQL for all ways; between it and each of them stands a proxy that ends TLS, counts and delays. */
export async function openStage(): Promise<Stage> {
  await removeAbandonedServers()
  await using undo = new AsyncDisposableStack()
  const folder = await makeServerFolder()
  undo.defer(() => rm(folder, { recursive: true, force: true }))
  const postgres = await startPostgres({
    folder,
    programsFolder: dataRootFor(resolve(import.meta.dirname, '../../..')).folder,
    settings: { max_connections: '100', fsync: 'off', autovacuum: 'off' },
  })
  undo.defer(() => postgres.stop('immediate'))
  const certificates = await makeCertificates()
  const proxies = new Set<ProxyInChild>()
  undo.defer(async () => void (await Promise.all([...proxies].map(proxy => proxy.stop()))))
  const ask = async (sql: string, values: unknown[] = []) =>
    withConnection(postgres, 'postgres', async client => (await client.query<Record<string, string>>(sql, values)).rows)
  const [server] = await ask("SELECT current_setting('server_version') AS version")

  async function openTrack(name: string): Promise<Track> {
    const database = `bench_${name.replaceAll(/\W/g, '_')}`
    await postgres.createDatabase(database)
    await migrate(databaseUrl(postgres, database))
    await withConnection(postgres, database, client => client.query(SEED))
    const proxy = await startProxyInChild({ target: { host: postgres.host, port: postgres.port }, certificates })
    proxies.add(proxy)
    const { user, password } = postgres
    return {
      proxy,
      environment: {
        DATABASE_URL: databaseUrl({ host: proxy.host, port: proxy.port, user, password }, database),
        DB_HOST: proxy.host,
        DB_PORT: String(proxy.port),
        DB_NAME: database,
        DB_USER: user,
        DB_PASSWORD: password,
        DB_CA_CERT: certificates.authority,
        // The key for who calls, and what the function knows of it.
        API_KEY,
        API_KEYS,
        WEBHOOK_SECRET_DEMO: WEBHOOK_SECRET,
        LOG_LEVEL: 'error',
      },
      endSessions: async () => void (await ask('SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = $1', [database])),
    }
  }

  const owned = undo.move()
  return { version: server?.version ?? '', openTrack, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
