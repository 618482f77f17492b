import { startPostgres } from '../../src/server/postgres/local-postgres.ts'

/** Starts PostgreSQL in the folder given as argument, reports its process id to the parent and waits to be killed. */
const postgres = await startPostgres({ folder: process.argv[2] ?? '', settings: { fsync: 'off' } })
await postgres.createDatabase('made_in_child')
process.on('message', () => process.exit())
// A parent that is gone will not end this process any more.
process.on('disconnect', () => process.exit())
process.send?.(postgres.pid)
