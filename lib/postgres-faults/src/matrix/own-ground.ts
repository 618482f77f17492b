import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { dataRootFor } from '../../../functions-devkit/src/server/postgres/data-root.ts'
import { startPostgres, type LocalPostgres } from '../../../functions-devkit/src/server/postgres/local-postgres.ts'
import { makeServerFolder } from '../server-folder.ts'
import { createChaosDatabase, type ChaosDatabase } from './chaos-database.ts'
import { type Ground } from './ground.ts'
import { openLanes } from './lanes.ts'

/**
 * A few servers of one's own, durable as in production; a repetition has one to itself, and others wait for their turn.
 * They start when they are first needed.
 */
export function ownGround({ servers, settings = {} }: { servers: number; settings?: Readonly<Record<string, string>> }): Ground {
  const lanes = openLanes(servers)
  const idle: LocalPostgres[] = []
  const started: { folder: string; postgres: LocalPostgres }[] = []

  async function start(): Promise<LocalPostgres> {
    const folder = await makeServerFolder()
    const programsFolder = dataRootFor(resolve(import.meta.dirname, '../../../..')).folder
    const postgres = await startPostgres({ folder, programsFolder, settings: { autovacuum: 'off', ...settings } })
    started.push({ folder, postgres })
    return postgres
  }

  return {
    async open() {
      return {
        borrow: work =>
          lanes(async () => {
            const postgres = idle.pop() ?? (await start())
            const database = await createChaosDatabase(postgres)
            try {
              return await work(database)
            } finally {
              if (postgres.pid === undefined) await postgres.start()
              await database.drop()
              idle.push(postgres)
            }
          }),
        close: async () => undefined,
      }
    },
    async stop() {
      for (const { folder, postgres } of started.splice(0)) {
        await postgres.stop('immediate')
        await rm(folder, { recursive: true, force: true })
      }
      idle.length = 0
    },
  }
}

/** The server behind a database of one's own ground. */
export function postgresOf({ server }: ChaosDatabase): LocalPostgres {
  if (!('stop' in server)) throw new Error('This database is not on a server of its own')
  return server as LocalPostgres
}
