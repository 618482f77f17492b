import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { inject } from 'vitest'
import { databaseUrl, withConnection, type ServerAddress } from '../../../../functions-devkit/src/server/postgres/connection.ts'
import { dataRootFor } from '../../../../functions-devkit/src/server/postgres/data-root.ts'
import { startPostgres } from '../../../../functions-devkit/src/server/postgres/local-postgres.ts'
import { processesServing, signal } from '../../../../functions-devkit/src/server/postgres/system-process.ts'
import { createTestDatabase } from '../../../../functions-devkit/test/support/database.ts'
import { migrate } from '../../../../functions-devkit/test/support/templates.ts'
import { REPOSITORY } from '../../../../functions-devkit/test/support/tested-application.ts'
import { ORDERS } from '../../../../functions-runtime/test/support/orders.ts'
import { initialiseTemplate, startFailoverPair, type FailoverPair, type PairOptions } from '../../../src/failover-pair.ts'
import { makeServerFolder } from '../../../src/server-folder.ts'

/** A migrated database, seen past every proxy. */
export interface Ground {
  readonly server: ServerAddress
  readonly database: string
  query<Row extends object>(sql: string, values?: unknown[]): Promise<Row[]>
  stop(): Promise<void>
}

const DATABASE = 'planted'
// Nothing of the schema keeps an effect from being there twice: only the functions do.
const COUNTED = `
  ALTER TABLE transactions DROP CONSTRAINT transactions_pkey;
  CREATE TABLE effects (id text);
  CREATE FUNCTION note_effect() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO effects VALUES (NEW.email); RETURN NEW; END $$;
  CREATE TRIGGER note_effect BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION note_effect();
  ${ORDERS}; ALTER TABLE orders DROP CONSTRAINT orders_product_key`

/** A database of the test run's server. */
export async function sharedGround(): Promise<Ground> {
  const database = await createTestDatabase()
  const { host, port, user, password } = inject('postgres')
  await database.query(COUNTED)
  return {
    server: { host, port, user, password },
    database: database.name,
    query: (sql, values) => database.query(sql, values) as never,
    stop: () => database.drop(),
  }
}

/** A server of its own. `crash` kills all its processes at once, and starts it again. */
export async function ownGround(settings: Readonly<Record<string, string>>): Promise<Ground & { crash(): Promise<void> }> {
  const folder = await makeServerFolder()
  const postgres = await startPostgres({ folder, programsFolder: programsFolder(), settings: { autovacuum: 'off', ...settings } })
  const stop = async () => {
    await postgres.stop('immediate')
    await rm(folder, { recursive: true, force: true })
  }
  const crash = async () => {
    for (const pid of processesServing(postgres.dataFolder)) signal(pid, 'SIGKILL')
    while (postgres.pid !== undefined) await sleep(10)
    await postgres.start()
  }
  return { ...(await prepared(postgres, stop)), crash }
}

/** A primary and a standby behind one address. */
export async function failoverGround(options: PairOptions): Promise<Ground & { readonly pair: FailoverPair }> {
  const { template, remove } = await initialiseTemplate()
  const pair = await startFailoverPair(template, options).catch(async (error: unknown) => {
    await remove()
    throw error
  })
  const stop = async () => {
    await pair.stop()
    await remove()
  }
  const { host, port, user, password } = pair.address
  const ground = await prepared({ host, port, user, password }, stop)
  await pair.replayed()
  return { ...ground, pair }
}

async function prepared(server: ServerAddress, stop: () => Promise<void>): Promise<Ground> {
  const { host, port, user, password } = server
  const address = { host, port, user, password }
  const query: Ground['query'] = (sql, values) => withConnection(address, DATABASE, async client => (await client.query(sql, values)).rows as never)
  try {
    await withConnection(address, 'postgres', client => client.query(`CREATE DATABASE ${DATABASE}`))
    await migrate(databaseUrl(address, DATABASE))
    await query(COUNTED)
  } catch (error) {
    await stop()
    throw error
  }
  return { server: address, database: DATABASE, query, stop }
}

function programsFolder(): string {
  return dataRootFor(REPOSITORY).folder
}
