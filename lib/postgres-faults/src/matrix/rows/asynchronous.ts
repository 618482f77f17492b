import { ownGround } from '../own-ground.ts'
import { reconnect } from '../reconnect.ts'
import { type Row } from '../row.ts'
import { killServer } from './crash.ts'

const CALLS = 5

/** Where commits are told not to wait for the disk. */
const SETTERS: Readonly<Record<string, string | undefined>> = {
  'off at the server': undefined,
  'off at the database': 'off',
  'local at the database': 'local',
}

/** Commits do not wait for the disk, the log is written ten seconds later, and the machine of the server crashes before. */
export const asynchronousCommit: Row = {
  number: 21,
  fault: 'synchronous_commit off, and a crash of the server',
  variants: Object.keys(SETTERS),
  slow: true,
  ground: ownGround({ servers: 2, settings: { wal_writer_delay: '10s', synchronous_commit: 'off' } }),
  async scenario({ call, database, manager, variant }) {
    const level = SETTERS[variant]
    if (level !== undefined) await database.query(`ALTER DATABASE ${database.name} SET synchronous_commit TO ${level}`)
    // The tables themselves have to survive.
    await database.query('CHECKPOINT')
    for (let calls = 0; calls < CALLS; calls += 1) await call()
    await killServer(database)
    await reconnect(manager)
    await call()
  },
}
