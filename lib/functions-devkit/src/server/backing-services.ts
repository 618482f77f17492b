import { join } from 'node:path'
import { type RedisState } from './announce.ts'
import { prepareDatabase } from './database.ts'
import { keptPort } from './kept-port.ts'
import { dataRootFor } from './postgres/data-root.ts'
import { PortTakenError } from './postgres/free-port.ts'
import { startPostgres } from './postgres/local-postgres.ts'
import { isRedisInstalled, localRedisPassword, startRedis } from './redis/local-redis.ts'
import { type LocalSecrets } from './secrets.ts'
import { type Shutdown } from './shutdown.ts'

export interface BackingServicesOptions {
  readonly checkout: string
  readonly dataFolder: string
  readonly secrets: LocalSecrets
  /** Where they listen from now on. Default: where they did before. */
  readonly ports: { readonly database: number | undefined; readonly redis: number | undefined }
  readonly runRedis: boolean
  /** Gets each of them, as soon as it is started. */
  readonly shutdown: Shutdown
}

export interface BackingServices {
  /** Of the functions' database. */
  readonly databaseUrl: string
  readonly redis: RedisState
}

/**
 * Starts the servers that the functions use. Each one listens on the same port at every start.
 * @throws Error that names the setting for another port when one is taken.
 */
export async function startBackingServices(options: BackingServicesOptions): Promise<BackingServices> {
  const { dataFolder: folder, ports, runRedis } = options
  const database = startDatabase(await keptPort({ folder, service: 'database', chosen: ports.database }), options)
  const redis = runRedis ? startOutageBuffer(options) : Promise.resolve('switched-off' as const)
  // Unlike Promise.all, this leaves neither running behind the other's failure: the shutdown has to know of it.
  await Promise.allSettled([database, redis])
  return { databaseUrl: await database, redis: await redis }
}

async function startDatabase(port: number, { checkout, dataFolder, secrets, shutdown }: BackingServicesOptions): Promise<string> {
  const starting = startPostgres({ folder: dataFolder, programsFolder: dataRootFor(checkout).folder, port })
  const postgres = await starting.catch((error: unknown) => {
    throw explainPort(error, 'the local database', 'LOCAL_DATABASE_PORT=… npm start')
  })
  shutdown.add('PostgreSQL', { end: () => postgres.stop('fast'), kill: () => postgres.kill() })
  return prepareDatabase({ postgres, password: secrets.databasePassword })
}

async function startOutageBuffer({ dataFolder: folder, secrets, ports, shutdown }: BackingServicesOptions): Promise<RedisState> {
  if (!isRedisInstalled()) return 'not-installed'
  const port = await keptPort({ folder, service: 'redis', chosen: ports.redis })
  const starting = startRedis({ folder: join(folder, 'redis'), port, password: localRedisPassword(secrets.webhookSecret) })
  const redis = await starting.catch((error: unknown) => {
    throw explainPort(error, 'Redis', 'LOCAL_REDIS_PORT=… npm start, or go without Redis: npm start -- --no-redis')
  })
  shutdown.add('Redis', redis)
  return redis
}

function explainPort(error: unknown, server: string, cure: string): unknown {
  if (!(error instanceof PortTakenError)) return error
  return new Error(`Port ${error.port}, where ${server} listens, is taken by another program: choose one with ${cure}`, { cause: error })
}
