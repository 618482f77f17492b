import { setTimeout as sleep } from 'node:timers/promises'
import { processesServing, signal } from '../../../../functions-devkit/src/server/postgres/system-process.ts'
import { ownGround, postgresOf } from '../own-ground.ts'
import { reconnect } from '../reconnect.ts'
import { meets, operationName, withCommit, type Repetition } from '../repetition.ts'
import { isThere } from '../row-proof.ts'
import { type Row } from '../row.ts'
import { type ChaosDatabase } from '../chaos-database.ts'

const PROVEN = ', a row proves it'
const hows = ['immediate', 'all killed', 'one session killed']

/**
 * COMMIT does not arrive, the server crashes and forgets the transaction's id, and another writer is given that id and
 * commits. Nobody else writes meanwhile and nothing flushes the log, so that the id never reaches the disk.
 */
export const idUsedAgain: Row = {
  number: 6,
  fault: 'cut before COMMIT, crash, id used again',
  variants: [...hows.map(how => how + PROVEN), ...hows],
  // Without a row to look for nothing tells any more what became of it.
  codes: ({ variant, kind }) => (variant.endsWith(PROVEN) || kind === 'read' ? [] : ['commit-unknown']),
  slow: true,
  ground: ownGround({ servers: 3, settings: { wal_writer_delay: '10s', wal_level: 'minimal', max_wal_senders: '0' } }),
  async scenario(repetition) {
    const { call, proxy, database, applicationName, variant, kind, figure, manager } = repetition
    await call()
    const fault = proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'before', action: 'silence' })
    const operation = operationName()
    const calling = call({
      ...withCommit(kind),
      operation,
      ...(variant.endsWith(PROVEN) && kind !== 'read' ? { wasCommitted: work => isThere(work, operation) } : {}),
    })
    if (!(await meets(calling, fault))) return
    const id = await idOf(database, applicationName)
    const crashedAt = performance.now()
    await proxy.refuse()
    await crash(repetition, variant.replace(PROVEN, ''))
    const [other] = await database.query<{ id: string }>("INSERT INTO logs VALUES ('another writer') RETURNING pg_current_xact_id()::text AS id")
    proxy.cutAll('reset')
    await proxy.accept()
    await calling
    if (id !== undefined && other?.id !== id) throw new Error(`The id ${id} was not used again: the other writer got ${other?.id}`)
    figure('answered after the crash', performance.now() - crashedAt)
    await reconnect(manager)
    await call()
  },
}

async function idOf(database: ChaosDatabase, applicationName: string): Promise<string | undefined> {
  const [session] = await database.query<{ id: string | null }>(
    'SELECT backend_xid::text AS id FROM pg_stat_activity WHERE datname = current_database() AND starts_with(application_name, $1)',
    [applicationName],
  )
  return session?.id ?? undefined
}

async function crash({ database, applicationName }: Repetition, how: string): Promise<void> {
  const postgres = postgresOf(database)
  if (how === 'one session killed') {
    // The server ends all its sessions and recovers by itself; the time of its start stays the same.
    const [session] = await database.query<{ pid: number }>('SELECT pid FROM pg_stat_activity WHERE starts_with(application_name, $1)', [
      applicationName,
    ])
    const before = await sessionOf(database)
    // On a slow machine the session may be over by now; any other brings the server down as well.
    const killed = session?.pid ?? before
    if (killed !== undefined) signal(killed, 'SIGKILL')
    // Our own session goes with all others; a new one is let in when the server has recovered.
    while ((await sessionOf(database).catch(() => before)) === before) await sleep(5)
    return
  }
  if (how === 'all killed') return killServer(database)
  await postgres.stop('immediate')
  await postgres.start()
}

/** Kills all processes of a server of one's own at once, and starts it again. */
export async function killServer(database: ChaosDatabase): Promise<void> {
  const postgres = postgresOf(database)
  for (const pid of processesServing(postgres.dataFolder)) signal(pid, 'SIGKILL')
  while (postgres.pid !== undefined) await sleep(5)
  await postgres.start()
}

async function sessionOf(database: ChaosDatabase): Promise<number | undefined> {
  return (await database.query<{ pid: number }>('SELECT pg_backend_pid() AS pid'))[0]?.pid
}
