import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { dataRootFor } from '../../../lib/functions-devkit/src/server/postgres/data-root.ts'
import { startPostgres, type LocalPostgres } from '../../../lib/functions-devkit/src/server/postgres/local-postgres.ts'
import { makeServerFolder } from '../../../lib/postgres-faults/src/server-folder.ts'

/** A server that a test may restart. */
export interface OwnServer {
  readonly postgres: LocalPostgres
  /** Stops the server and removes its data. */
  remove(): Promise<void>
}

/** Starts a durable server for one test file. */
export async function startOwnServer(): Promise<OwnServer> {
  const folder = await makeServerFolder()
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    const programsFolder = dataRootFor(resolve(import.meta.dirname, '../../..')).folder
    const postgres = await startPostgres({ folder, programsFolder, settings: { autovacuum: 'off' } })
    return {
      postgres,
      async remove() {
        await postgres.stop('immediate')
        await remove()
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}
