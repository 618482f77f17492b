import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { dataRootFor } from '../../../src/server/postgres/data-root.ts'
import { withConnection } from '../../../src/server/postgres/connection.ts'
import { startPostgres, type LocalPostgres } from '../../../src/server/postgres/local-postgres.ts'
import { startContainer, type Container } from '../platform/container.ts'
import { packZip } from '../platform/pack-function.ts'
import { startProxy, type Proxy } from '../../../../postgres-faults/src/proxy/proxy.ts'
import { startRedis, type RedisServer } from '../redis.ts'
import { makeServerFolder } from '../../../../postgres-faults/src/server-folder.ts'
import { migrate } from '../templates.ts'
import { secrets } from './deliveries.ts'

/** A database server of one's own behind a proxy, perhaps a Redis, and containers of the real bundles. */
export interface Stage {
  readonly postgres: LocalPostgres
  readonly proxy: Proxy
  readonly redis: RedisServer | undefined
  /** Straight to the server, past the proxy. */
  query<Row>(text: string, values?: unknown[]): Promise<Row[]>
  container(name: 'api/webhook' | 'ops/maintenance'): Promise<Container>
  close(): Promise<void>
}

const ROOT = join(import.meta.dirname, '../../../../..')
const DATABASE = 'torture'
// A call's whole time: what goes wrong shows soon.
const LIMITS = { 'api/webhook': 3_000, 'ops/maintenance': 15_000 }

// Counts every time that a handler has written, also what writes the same again: none of its statements hides that.
const NOTE = `
  CREATE TABLE effects (what text);
  CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO effects VALUES (to_jsonb(NEW) ->> TG_ARGV[0]); RETURN NEW; END $$;
  CREATE TRIGGER note BEFORE INSERT ON transactions FOR EACH ROW EXECUTE FUNCTION note('external_id');
  CREATE TRIGGER note BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION note('name')`

/** Prepares everything; `buffered` with a Redis that flushes before it answers. The functions are those of `root`. */
export async function openStage({ buffered, root }: { buffered: boolean; root: string }): Promise<Stage> {
  const folder = await makeServerFolder()
  const postgres = await startPostgres({ folder, programsFolder: dataRootFor(resolve(ROOT)).folder, settings: { autovacuum: 'off' } })
  await postgres.createDatabase(DATABASE)
  await migrate(postgres.url(DATABASE))
  const query: Stage['query'] = (text, values) => withConnection(postgres, DATABASE, async client => (await client.query(text, values)).rows as never)
  await query(NOTE)
  const redis = buffered ? await startRedis() : undefined
  const proxy = await startProxy({ target: { host: postgres.host, port: postgres.port } })
  const environment = {
    DB_HOST: proxy.host,
    DB_PORT: String(proxy.port),
    DB_NAME: DATABASE,
    DB_USER: postgres.user,
    DB_PASSWORD: postgres.password,
    DB_CA_CERT: proxy.authority,
    LOG_LEVEL: 'warn',
    ...secrets,
    PAYLOAD_KEY: Buffer.alloc(32, 5).toString('base64'),
    ...(redis === undefined ? {} : { REDIS_URL: redis.url }),
  }
  const zips = new Map<string, Promise<Buffer>>()
  return {
    postgres,
    proxy,
    redis,
    query,
    async container(name) {
      const packed = zips.get(name) ?? packZip(root, name)
      zips.set(name, packed)
      return startContainer({ zip: await packed, runtime: 'digitalocean', environment, limits: { timeout: LIMITS[name] }, name })
    },
    async close() {
      await proxy.stop()
      await redis?.stop()
      await postgres.stop('immediate')
      await rm(folder, { recursive: true, force: true })
    },
  }
}
