import { join } from 'node:path'
import { prepareDatabase } from './database.ts'
import { keepRunning } from './keep-running.ts'
import { choosePort, keepPort } from './kept-port.ts'
import { dataRootFor } from './postgres/data-root.ts'
import { PortClosedError, PortTakenError } from './postgres/free-port.ts'
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
  readonly shutdown: Pick<Shutdown, 'add'>
  /** Takes one line for each of them that ends by itself. */
  readonly report: (line: string) => void
}

/** The local Redis, or why there is none. */
export type OutageBuffer = { readonly url: string; readonly port: number } | 'switched-off' | 'not-installed'

export interface BackingServices {
  /** Of the functions' database. */
  readonly databaseUrl: string
  readonly databasePort: number
  readonly redis: OutageBuffer
}

/**
 * Starts the servers that the functions use, and starts again one that ends. Each one listens on the same port at every start.
 * @throws Error that names the setting for another port when one cannot be used; the kept port stays.
 */
export async function startBackingServices(options: BackingServicesOptions): Promise<BackingServices> {
  const { dataFolder: folder, ports, runRedis } = options
  const databasePort = await choosePort({ folder, service: 'database', chosen: ports.database })
  const redisPort = await choosePort({ folder, service: 'redis', chosen: ports.redis, except: [databasePort] })
  const database = startDatabase(databasePort, options)
  const redis = runRedis ? startOutageBuffer(redisPort, options) : Promise.resolve('switched-off' as const)
  // Unlike Promise.all, this leaves neither running behind the other's failure: the shutdown has to know of it.
  await Promise.allSettled([database, redis])
  return { databaseUrl: await database, databasePort, redis: await redis }
}

async function startDatabase(port: number, { checkout, dataFolder: folder, secrets, shutdown, report }: BackingServicesOptions): Promise<string> {
  const explain = explainPort('the local database', 'LOCAL_DATABASE_PORT=… npm start')
  const postgres = await startPostgres({ folder, programsFolder: dataRootFor(checkout).folder, port }).catch(explain)
  const server = {
    hasEnded: () => postgres.pid === undefined,
    start: () => postgres.start().catch(explain),
    end: () => postgres.stop('fast'),
    kill: () => postgres.kill(),
  }
  shutdown.add('PostgreSQL', keepRunning(server, { name: 'PostgreSQL', port, report }))
  keepPort({ folder, service: 'database', port })
  return prepareDatabase({ postgres, password: secrets.databasePassword })
}

async function startOutageBuffer(port: number, { dataFolder: folder, secrets, shutdown, report }: BackingServicesOptions): Promise<OutageBuffer> {
  if (!isRedisInstalled()) return 'not-installed'
  const explain = explainPort('Redis', 'LOCAL_REDIS_PORT=… npm start, or go without Redis: npm start -- --no-redis')
  const start = () => startRedis({ folder: join(folder, 'redis'), port, password: localRedisPassword(secrets.webhookSecret) }).catch(explain)
  let redis = await start()
  const server = {
    hasEnded: () => redis.hasEnded(),
    start: async () => void (redis = await start()),
    end: () => redis.end(),
    kill: () => redis.kill(),
  }
  shutdown.add('Redis', keepRunning(server, { name: 'Redis', port, report }))
  keepPort({ folder, service: 'redis', port })
  return { url: redis.url, port }
}

function explainPort(server: string, cure: string): (error: unknown) => never {
  return error => {
    if (error instanceof PortTakenError)
      throw new Error(`Port ${error.port}, where ${server} listens, is taken by another program: choose one with ${cure}`, { cause: error })
    if (error instanceof PortClosedError)
      throw new Error(`Port ${error.port}, where ${server} listens, is closed to ordinary users: choose one above 1023 with ${cure}`, {
        cause: error,
      })
    throw error
  }
}
