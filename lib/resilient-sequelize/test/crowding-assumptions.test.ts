import { openDatabase } from '../../functions-runtime/src/database/connect.ts'
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { databaseSettings } from '../../functions-runtime/src/database/settings.ts'
import { openDeadline } from '../../invocation/src/deadline.ts'
import { runWithDeadline } from '../../invocation/src/deadline-scope.ts'
import { runInvocation } from '../../invocation/src/invocation-scope.ts'
import { withConnection, type ServerAddress } from '../../functions-devkit/src/server/postgres/connection.ts'
import { startPostgres, type LocalPostgres } from '../../functions-devkit/src/server/postgres/local-postgres.ts'
import { createLogger } from '../../functions-runtime/src/telemetry/logger.ts'
import { makeServerFolder } from '../../postgres-faults/src/server-folder.ts'
import { programsFolder } from './error-table/private-server.ts'
import { startStandby } from './error-table/standby.ts'

const ROLE = 'plain'
const PASSWORD = 'plain-secret'
const DATABASE = 'postgres'
const LOOK_AGAIN_MS = 10
// Ten for everybody, three for superusers only.
const CONNECTIONS = 13
const CROWD = 8

let folder: string
let server: LocalPostgres

/** Starts the server of this file, or the same one anew. */
async function start({ connections = CONNECTIONS, port }: { connections?: number; port?: number } = {}): Promise<LocalPostgres> {
  const settings = { max_connections: String(connections), fsync: 'off', autovacuum: 'off', shared_buffers: '16MB' }
  return startPostgres({ folder, programsFolder, settings, ...(port === undefined ? {} : { port }) })
}

function ask<Row extends pg.QueryResultRow>(address: ServerAddress, statement: string): Promise<Row[]> {
  return withConnection(address, DATABASE, async client => (await client.query<Row>(statement)).rows)
}

/** A container whose role has no right but to log in. */
function startContainer(address: ServerAddress) {
  const { value: settings } = databaseSettings.parse({
    DB_HOST: address.host,
    DB_PORT: String(address.port),
    DB_NAME: DATABASE,
    DB_USER: ROLE,
    DB_PASSWORD: PASSWORD,
    DB_SSLMODE: 'disable',
  })
  if (!settings) throw new Error('the settings of the test are wrong')
  const logger = createLogger({ name: 'test', level: 'silent' })
  const { manager, service } = openDatabase({ settings, applicationName: 'subject', logger })
  return {
    /** Serves one call; resolves to whether it kept its connection, as the server sees it. */
    async keepsConnection(): Promise<boolean> {
      const deadline = openDeadline({ remainingMs: 10_000 })
      const read = () => service.execute('read', ({ query }) => query('SELECT 1 AS one'), { mode: 'read' })
      try {
        expect(await runInvocation(() => runWithDeadline(deadline, read))).toEqual([{ one: 1 }])
      } finally {
        deadline.clear()
      }
      return (await ask(address, "SELECT 1 FROM pg_stat_activity WHERE application_name = 'subject'")).length > 0
    },
    [Symbol.asyncDispose]: () => manager.gracefulShutdown(),
  }
}

/** Sessions of somebody else, who is a superuser: a plain role is told nothing of them but that they are there. */
async function openCrowd(address: ServerAddress, size: number) {
  const clients = await Promise.all(
    Array.from({ length: size }, async () => {
      const client = new pg.Client({ ...address, database: DATABASE, application_name: 'crowd' })
      client.on('error', () => {})
      await client.connect()
      return client
    }),
  )
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map(client => client.end()))
      while ((await ask(address, "SELECT 1 FROM pg_stat_activity WHERE application_name = 'crowd'")).length > 0) await sleep(LOOK_AGAIN_MS)
    },
  }
}

beforeAll(async () => {
  folder = await makeServerFolder()
  server = await start()
  await ask(server, `CREATE ROLE ${ROLE} LOGIN PASSWORD '${PASSWORD}'`)
})

afterAll(async () => {
  await server.stop('immediate')
  await rm(folder, { recursive: true, force: true })
})

describe('a container’s look at how full the server is', () => {
  it('counts the sessions of others, of which its role sees nothing', async () => {
    await using container = startContainer(server)
    {
      await using _crowd = await openCrowd(server, CROWD)
      expect(await container.keepsConnection()).toBe(false)
    }
    expect(await container.keepsConnection()).toBe(true)
  })

  it('that is refused keeps the connection, also where a crowd was seen before', async () => {
    await using container = startContainer(server)
    await using _crowd = await openCrowd(server, CROWD)
    expect(await container.keepsConnection()).toBe(false)
    await ask(server, 'REVOKE EXECUTE ON FUNCTION pg_stat_get_activity(integer) FROM PUBLIC')
    try {
      expect(await container.keepsConnection()).toBe(true)
    } finally {
      await ask(server, 'GRANT EXECUTE ON FUNCTION pg_stat_get_activity(integer) TO PUBLIC')
    }
  })

  it('takes the max_connections that the server has been restarted with', async () => {
    await using container = startContainer(server)
    {
      await using _crowd = await openCrowd(server, CROWD)
      expect(await container.keepsConnection()).toBe(false)
    }
    const { port } = server
    for (const [connections, keeps] of [
      [40, true],
      [CONNECTIONS, false],
    ] as const) {
      await server.stop()
      server = await start({ connections, port })
      await using _crowd = await openCrowd(server, CROWD)
      expect(await container.keepsConnection()).toBe(keeps)
    }
  })

  it('is the same on a standby', async () => {
    const standby = await startStandby({ postgres: server, folder })
    try {
      await using container = startContainer(standby)
      {
        // It takes 20, three of them for superusers only.
        await using _crowd = await openCrowd(standby, 14)
        expect(await container.keepsConnection()).toBe(false)
      }
      expect(await container.keepsConnection()).toBe(true)
    } finally {
      await standby.stop()
    }
  })
})
