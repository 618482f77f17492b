import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type ServerAddress } from '../../../../functions-devkit/src/server/postgres/connection.ts'
import { ask, type FailoverPair } from '../../failover-pair.ts'
import { type Call } from '../call.ts'
import { failoverGround, pairOf } from '../failover-ground.ts'
import { operationName, type CallOptions, type Repetition } from '../repetition.ts'
import { isThere } from '../row-proof.ts'
import { type Row } from '../row.ts'

const IN_TIME = ', promoted in time'
const TOO_LATE = ', promoted too late'
const PAUSED = 'replay paused'
const CONFLICT = 'replay waits for a report'
// A promotion takes its time on a busy machine; a lost COMMIT is noticed as soon as the address has moved.
const DEADLINE_MS = 8_000
const LOOK_AGAIN_MS = 10
const PROVEN = ', a row proves it'

const ground = failoverGround({
  servers: 2,
  standbySettings: { max_standby_streaming_delay: '-1', max_standby_archive_delay: '-1', hot_standby_feedback: 'off' },
})

/** The primary is gone. Its standby has received the COMMIT, and says that the transaction lies in the future. */
export const standbyBehind: Row = {
  number: 17,
  fault: 'failover to a standby that has not replayed COMMIT',
  variants: [PAUSED, CONFLICT].flatMap(what => [what + IN_TIME, what + TOO_LATE]),
  codes: ({ variant, kind }) => (variant.endsWith(TOO_LATE) && kind !== 'read' ? ['commit-unknown'] : []),
  deadlineMs: DEADLINE_MS,
  slow: true,
  ground,
  async scenario(repetition) {
    const { call, database, variant, find } = repetition
    const pair = pairOf(database)
    await call()
    const release = await (variant.startsWith(PAUSED) ? pauseReplay(pair) : blockReplay(pair, database.name))
    try {
      const { calling } = await loseCommit(repetition)
      await pair.received()
      if (repetition.kind !== 'read' && (await hasReplayed(pair))) find('the standby has replayed the COMMIT')
      pair.address.resetCounts()
      await pair.primary.stop('immediate')
      pair.moveAddress()
      repetition.proxy.cutAll('reset')
      await (variant.endsWith(TOO_LATE) ? calling : Promise.race([calling, asked(pair)]))
    } finally {
      await release()
    }
    await pair.promote()
    await call()
  },
}

const NEVER_GIVEN = 'the id is not given again'
const COMMITTED = 'the id is given to a transaction that commits'
const RUNNING = 'the id is given to a transaction that runs'
const STILL_RUNS = ', the old primary still runs'

/** The standby has not received the end of the log, so that what the primary confirmed last is gone; the id may be given again. */
export const logLost: Row = {
  number: 18,
  fault: 'failover that loses the end of the log',
  variants: [NEVER_GIVEN, NEVER_GIVEN + STILL_RUNS, COMMITTED, COMMITTED + PROVEN, RUNNING],
  // Without a row to look for nothing tells whose transaction it was.
  codes: ({ variant, kind }) => (variant === COMMITTED && kind !== 'read' ? ['commit-unknown'] : []),
  deadlineMs: DEADLINE_MS,
  slow: true,
  ground,
  async scenario(repetition) {
    const { call, database, variant, kind } = repetition
    const pair = pairOf(database)
    await call()
    await pair.replayed()
    await pair.replication.refuse()
    pair.replication.cutAll('reset')
    await call({ mayBeGone: true })
    const operation = operationName()
    const { calling } = await loseCommit(repetition, {
      operation,
      ...(variant.endsWith(PROVEN) && kind !== 'read' && { wasCommitted: work => isThere(work, operation) }),
    })
    const id = await idOf(pair, database.name, operation)
    pair.moveAddress()
    await pair.promote()
    const given = id !== undefined && !variant.startsWith(NEVER_GIVEN)
    const other = given ? await giveAgain(pair, { database: database.name, id, commits: !variant.startsWith(RUNNING) }) : undefined
    if (!variant.endsWith(STILL_RUNS)) await pair.primary.stop('immediate')
    repetition.proxy.cutAll('reset')
    await calling
    await other?.end()
    await call()
  },
}

/** Begins a call whose COMMIT is done, and whose answer does not arrive; a read has no COMMIT. */
async function loseCommit({ call, proxy }: Repetition, options: CallOptions = {}): Promise<{ calling: Promise<Call> }> {
  const fault = proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'after', action: 'silence' })
  const calling = call(options)
  await Promise.race([fault.firstFired, calling])
  return { calling }
}

async function pauseReplay({ standby }: FailoverPair): Promise<() => Promise<unknown>> {
  await ask(standby, 'SELECT pg_wal_replay_pause()')
  while ((await ask<{ state: string }>(standby, 'SELECT pg_get_wal_replay_pause_state() AS state'))[0]?.state !== 'paused') await sleep(LOOK_AGAIN_MS)
  return () => ask(standby, 'SELECT pg_wal_replay_resume()')
}

/** A report reads a table for as long as it likes, and the primary locks that table for a moment: replay waits for the report. */
async function blockReplay({ primary, standby }: FailoverPair, database: string): Promise<() => Promise<unknown>> {
  const report = await connect(standby, database)
  await report.query('BEGIN; SELECT count(*) FROM contended')
  await ask(primary, 'BEGIN; LOCK TABLE contended; COMMIT', database)
  const WAITS = "SELECT 1 FROM pg_stat_activity WHERE backend_type = 'startup' AND wait_event_type = 'Lock'"
  while ((await ask(standby, WAITS)).length === 0) await sleep(LOOK_AGAIN_MS)
  return () => report.end()
}

async function hasReplayed({ standby }: FailoverPair): Promise<boolean | undefined> {
  const [found] = await ask<{ all: boolean }>(standby, 'SELECT pg_last_wal_replay_lsn() >= pg_last_wal_receive_lsn() AS all')
  return found?.all
}

/** Resolves when the standby was asked what became of the transaction. */
async function asked({ address }: FailoverPair): Promise<void> {
  while (!address.statementFlights().some(flight => flight.some(text => text.includes('pg_xact_status')))) await sleep(LOOK_AGAIN_MS)
}

async function idOf({ primary }: FailoverPair, database: string, operation: string): Promise<number | undefined> {
  const [found] = await ask<{ id: number | null }>(
    primary,
    `SELECT min(xmin::text::int) AS id FROM effects WHERE operation = '${operation}'`,
    database,
  )
  return found?.id ?? undefined
}

/** Begins transactions on the promoted standby until one has this id; that one commits, or runs until its client ends. */
async function giveAgain(
  { standby }: FailoverPair,
  { database, id, commits }: { database: string; id: number; commits: boolean },
): Promise<pg.Client> {
  const client = await connect(standby, database)
  for (;;) {
    await client.query("BEGIN; INSERT INTO logs VALUES ('another writer')")
    const { rows } = await client.query<{ id: number }>('SELECT pg_current_xact_id()::text::int AS id')
    const given = rows[0]?.id ?? Number.NaN
    if (given < id || commits) await client.query('COMMIT')
    if (given === id) return client
    if (given > id) throw new Error(`The id ${id} was not given again: the other writer got ${given}`)
  }
}

async function connect({ host, port, user, password }: ServerAddress, database: string): Promise<pg.Client> {
  const client = new pg.Client({ host, port, user, password, database })
  client.on('error', () => undefined)
  await client.connect()
  return client
}
