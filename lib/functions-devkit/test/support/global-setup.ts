import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type TestProject } from 'vitest/node'
import { dataRootFor } from '../../src/server/postgres/data-root.ts'
import { withConnection, type ServerAddress } from '../../src/server/postgres/connection.ts'
import { startPostgres } from '../../src/server/postgres/local-postgres.ts'
import { makeCertificates } from '../../../postgres-faults/src/certificates.ts'
import { makeServerFolder, removeAbandonedServers } from '../../../postgres-faults/src/server-folder.ts'
import { MIGRATED_TEMPLATE, migrate } from './templates.ts'

/** Starts PostgreSQL for the whole run, with TLS and without durability, and builds the templates. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeAbandonedServers()
  const folder = await makeServerFolder()
  try {
    const { authority, ...certificate } = await makeCertificates()
    const postgres = await startPostgres({
      folder,
      programsFolder: dataRootFor(resolve(import.meta.dirname, '../../../..')).folder,
      certificate,
      settings: {
        fsync: 'off',
        synchronous_commit: 'off',
        full_page_writes: 'off',
        autovacuum: 'off',
        // The fault matrix runs many cells at once, each with sessions of its own.
        max_connections: '600',
        shared_buffers: '64MB',
      },
    })
    const teardown = async () => {
      await postgres.stop('immediate')
      await rm(folder, { recursive: true, force: true })
    }
    try {
      await postgres.createDatabase(MIGRATED_TEMPLATE)
      await migrate(postgres.url(MIGRATED_TEMPLATE))
      await postponeMissingSchedule(postgres)
    } catch (error) {
      await teardown()
      throw error
    }
    const { host, port, user, password } = postgres
    project.provide('postgres', { host, port, user, password, authority })
    return teardown
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/**
 * Dates the migrations of the template one day ahead. Without a recorded check, health measures from the migrations how long the
 * schedule has been missing, and would warn in a test run of more than 15 minutes.
 */
async function postponeMissingSchedule(server: ServerAddress): Promise<void> {
  await withConnection(server, MIGRATED_TEMPLATE, client => client.query("UPDATE schema_migrations SET applied_at = now() + interval '1 day'"))
}
