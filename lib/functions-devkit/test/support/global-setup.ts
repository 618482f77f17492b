import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type TestProject } from 'vitest/node'
import { dataRootFor } from '../../src/server/postgres/data-root.ts'
import { startPostgres } from '../../src/server/postgres/local-postgres.ts'
import { makeCertificates } from '../../../postgres-faults/src/certificates.ts'
import { makeServerFolder, removeAbandonedServers } from '../../../postgres-faults/src/server-folder.ts'

/** Starts PostgreSQL for the whole run, with TLS and without durability. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeAbandonedServers()
  const folder = await makeServerFolder()
  const runFolder = await mkdtemp(join(tmpdir(), 'test-run-'))
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
    const { host, port, user, password } = postgres
    project.provide('postgres', { host, port, user, password, authority })
    project.provide('runFolder', runFolder)
    return async () => {
      await postgres.stop('immediate')
      await rm(runFolder, { recursive: true, force: true })
      await rm(folder, { recursive: true, force: true })
    }
  } catch (error) {
    await rm(runFolder, { recursive: true, force: true })
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}
