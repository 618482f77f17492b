import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { dataRootFor } from '../../../functions-devkit/src/server/postgres/data-root.ts'
import { startPostgres, type LocalPostgres } from '../../../functions-devkit/src/server/postgres/local-postgres.ts'

/** Where the programs are copied to when the server's user cannot reach them; shared with the other tests. */
export const programsFolder = dataRootFor(resolve(import.meta.dirname, '../../../..')).folder

/** A server that one test file may stop, fill and damage; without TLS and without durability. */
export interface PrivateServer {
  postgres: LocalPostgres
  folder: string
  remove(): Promise<void>
}

/** Starts a server in a temporary folder, which `remove` ends and deletes. */
export async function startPrivateServer(settings: Readonly<Record<string, string>> = {}): Promise<PrivateServer> {
  const folder = await mkdtemp(join(tmpdir(), 'error-table-'))
  try {
    const postgres = await startPostgres({
      folder,
      programsFolder,
      settings: { fsync: 'off', autovacuum: 'off', shared_buffers: '16MB', max_connections: '20', ...settings },
    })
    return {
      postgres,
      folder,
      async remove() {
        await postgres.stop('immediate')
        await rm(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}
