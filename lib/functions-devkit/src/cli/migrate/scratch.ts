import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { dataRootFor } from '../../server/postgres/data-root.ts'
import { startPostgres } from '../../server/postgres/local-postgres.ts'
import { APPLICATION_FOLDER } from '../../application-folder.ts'

/** Runs work on the empty database of a PostgreSQL that is there for it alone, and gone afterwards. */
export async function withScratchDatabase<Result>(work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'scratch-'))
  try {
    const programsFolder = dataRootFor(APPLICATION_FOLDER).folder
    const postgres = await startPostgres({ folder, programsFolder, settings: { fsync: 'off' } })
    const client = new pg.Client({ connectionString: postgres.url('postgres') })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return await work(client)
    } finally {
      await client.end().catch(() => undefined)
      await postgres.stop('immediate')
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
