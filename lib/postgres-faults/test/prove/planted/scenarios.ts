import { setTimeout as sleep } from 'node:timers/promises'
import type { Container } from '../../../../functions-devkit/src/server/containers/container.ts'
import { apiKey } from '../../../../functions-devkit/test/support/functions.ts'
import { invokedEvent, webEvent } from '../../../../functions-devkit/test/support/platform/events.ts'
import { startRedis } from '../../../../functions-devkit/test/support/redis.ts'
import { completedTransaction, signedHeaders } from '../../../../functions-devkit/test/support/webhooks.ts'
import { ask, type FailoverPair } from '../../../src/failover-pair.ts'
import type { History } from '../../../src/prove/history.ts'
import { failoverGround, ownGround, sharedGround } from './grounds.ts'
import type { Functions, Operation, Request, Stage } from './stage.ts'

// Each plays the smallest history that its bug spoils: an operation, a fault at one statement, and what comes after it.

const AMOUNT = '12.50'
const HANDLER = /INSERT INTO \S*transactions\b/
const CLAIM = /INSERT INTO \S*webhook_events\b/
const IN_TRANSACTION = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
const LOOK_AGAIN_MS = 10
const LONG_MS = 10_000
const MAINTENANCE_MS = 10_000
const REFUSE = `
  CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END $$;
  CREATE TRIGGER refuse BEFORE INSERT ON transactions FOR EACH ROW EXECUTE FUNCTION refuse()`

const APPLIED_SQL =
  'SELECT external_id AS id, count(*)::int AS times, sum(amount)::text AS amount FROM transactions WHERE external_id = ANY ($1::text[]) GROUP BY 1'
const CREATED_SQL =
  "SELECT split_part(id, '@', 1) AS id, count(*)::int AS times FROM effects WHERE split_part(id, '@', 1) = ANY ($1::text[]) GROUP BY 1"
const ORDERED_SQL = 'SELECT product AS id, count(*)::int AS times FROM orders WHERE product = ANY ($1::text[]) GROUP BY 1'

const operation = (name: string, effects: string): Operation => ({ name, effects })
const applied = (name: string): Operation => ({ name, effects: APPLIED_SQL, amount: AMOUNT })

const MAINTENANCE = invokedEvent({ task: 'maintenance' })

function webhook(id: string): Request {
  const body = completedTransaction({ transactionId: id, amount: AMOUNT })
  return { id, event: () => webEvent({ method: 'POST', path: '/demo', headers: signedHeaders(body, { id }), body }, 'raw') }
}

function post(id: string, body: object, headers: Readonly<Record<string, string>> = {}): Request {
  const given = { 'content-type': 'application/json', authorization: `Bearer ${apiKey}`, ...headers }
  return { id, event: () => webEvent({ method: 'POST', headers: given, body: JSON.stringify(body) }, 'raw') }
}

const newUser = (id: string) => post(id, { email: `${id}@example.com`, name: 'Ada' })
const newOrder = (id: string) => post(id, { product: id }, { 'idempotency-key': id })

/** The container is killed as its handler writes; the event is delivered again. */
export async function killedInHandler({ play }: Functions): Promise<History> {
  return play({ operation: applied('webhook applied'), ground: await sharedGround() }, async stage => {
    await killedAt(HANDLER, await stage.container('webhook'), stage, container => stage.send(webhook('one'), container))
    await stage.sendUntilAcknowledged(webhook('one'), await stage.container('webhook'))
  })
}

/** Two containers are killed, one at its first COMMIT and one at its second, if it has any; the events are delivered again. */
export async function committedInTwo({ play }: Functions): Promise<History> {
  const variables = { DB_POOL_MAX: '2' }
  return play({ operation: applied('webhook applied'), ground: await sharedGround(), variables }, async stage => {
    for (const [before, id] of ['one', 'two'].entries()) {
      // What it delays by nothing is passed over.
      const passed = stage.proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'before', action: { delayMs: 0 }, times: before })
      if (before === 0) passed.remove()
      await killedAt('COMMIT', await stage.container('webhook'), stage, container => stage.send(webhook(id), container))
      await stage.sendUntilAcknowledged(webhook(id), await stage.container('webhook'))
    }
  })
}

/** The answer to COMMIT is lost. */
export async function commitAnswerLost({ play }: Functions): Promise<History> {
  return play({ operation: operation('user created', CREATED_SQL), ground: await sharedGround() }, async stage => {
    stage.proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'after', action: 'reset' })
    stage.note('reset behind COMMIT')
    await stage.sendUntilAcknowledged(newUser('one'), await stage.container('user'))
  })
}

/** A deferred event is due; the maintenance that tries it is killed as its handler writes, and another one follows. */
export function deferredAndTried(functions: Functions): Promise<History> {
  return tried(functions, 'now()')
}

/** The same, with the other one as soon as the time of the killed one would have been over. */
export function deferredUntilLeaseEnds(functions: Functions): Promise<History> {
  return tried(functions, `next_attempt_at - make_interval(secs => ${MAINTENANCE_MS / 1_000})`)
}

async function tried({ play }: Functions, dueAfterwards: string): Promise<History> {
  return play({ operation: applied('a later attempt'), ground: await sharedGround() }, async stage => {
    const makeDue = (at: string) => stage.query(`UPDATE webhook_events SET next_attempt_at = ${at} WHERE outcome IS NULL`)
    await stage.query(REFUSE)
    await stage.sendUntilAcknowledged(webhook('one'), await stage.container('webhook'))
    await stage.query('DROP TRIGGER refuse ON transactions')
    await makeDue('now()')
    await maintainTwice(stage, HANDLER, () => makeDue(dueAfterwards))
  })
}

/** The database is away, so the event is buffered; the maintenance that drains it is killed at the claim, and another one follows. */
export async function bufferedAndDrained({ play }: Functions): Promise<History> {
  const redis = await startRedis()
  try {
    const options = { operation: applied('drain of the buffer'), ground: await sharedGround(), variables: { REDIS_URL: redis.url } }
    return await play(options, async stage => {
      await stage.proxy.refuse('reset')
      stage.note('connections refused')
      await stage.sendUntilAcknowledged(webhook('one'), await stage.container('webhook'))
      await stage.proxy.accept()
      // As when the time of the killed one is over.
      await maintainTwice(stage, CLAIM, () => redis.command('DEL', '{webhooks}:drain'))
    })
  } finally {
    await redis.stop()
  }
}

async function maintainTwice(stage: Stage, killedWhere: RegExp, between: () => Promise<unknown>): Promise<void> {
  const maintenance = () => stage.container('maintenance', { timeoutMs: MAINTENANCE_MS })
  await killedAt(killedWhere, await maintenance(), stage, container => stage.run(container, MAINTENANCE))
  await between()
  const end = await stage.run(await maintenance(), MAINTENANCE)
  stage.note(`maintenance came to ${JSON.stringify(end)}`)
}

/** A second delivery comes while the first one's COMMIT is on its way; the first one's container is killed. */
export async function answeredWhileBusy({ play }: Functions): Promise<History> {
  return play({ operation: applied('webhook duplicate'), ground: await sharedGround() }, async stage => {
    const [first, second] = await Promise.all([stage.container('webhook', { timeoutMs: LONG_MS }), stage.container('webhook')])
    const sendTo = (container: Container) => stage.send(webhook('one'), container)
    await killedAt('COMMIT', first, stage, sendTo, () => sendTo(second))
    await stage.sendUntilAcknowledged(webhook('one'), second)
  })
}

/** The answer to COMMIT is lost, and the database is away until the call has ended; the caller repeats it with the same key. */
export async function timedOutAfterCommit({ play }: Functions): Promise<History> {
  return play({ operation: operation('order created', ORDERED_SQL), ground: await sharedGround() }, async stage => {
    const container = await stage.container('orders')
    const fault = stage.proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'after', action: 'silence' })
    void fault.firstFired.then(() => stage.proxy.refuse('reset'))
    stage.note('silent behind COMMIT, connections refused')
    await stage.send(newOrder('one'), container)
    await stage.proxy.accept()
    await stage.sendUntilAcknowledged(newOrder('one'), container)
  })
}

/** COMMIT does not arrive, the server crashes and forgets the transaction's id, and gives it to another transaction. */
export async function crashBeforeCommit({ play }: Functions): Promise<History> {
  const ground = await ownGround({ wal_writer_delay: '10s', wal_level: 'minimal', max_wal_senders: '0' })
  return play({ operation: applied('webhook applied'), ground }, async stage => {
    const { proxy, query } = stage
    const container = await stage.container('webhook', { timeoutMs: LONG_MS })
    await stage.sendUntilAcknowledged(webhook('before'), container)
    const fault = proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'before', action: 'silence' })
    const sending = stage.send(webhook('one'), container)
    await fault.firstFired
    const [given] = await query<{ id: string }>('SELECT backend_xid::text AS id FROM pg_stat_activity WHERE backend_xid IS NOT NULL')
    await proxy.refuse('reset')
    await ground.crash()
    stage.note('COMMIT lost, server killed and started')
    const [again] = await query<{ id: string }>("INSERT INTO effects VALUES ('other') RETURNING pg_current_xact_id()::text AS id")
    if (given === undefined || again?.id !== given.id) throw new Error(`The id ${given?.id} was not given again, but ${again?.id}`)
    proxy.cutAll('reset')
    await proxy.accept()
    await sending
    await stage.sendUntilAcknowledged(webhook('one'), container)
  })
}

/** The answer to COMMIT is lost with its server, and the standby has received the COMMIT without replaying it. */
export async function failoverBehindCommit({ play }: Functions): Promise<History> {
  const ground = await failoverGround({})
  const { pair } = ground
  return play({ operation: operation('user created', CREATED_SQL), ground }, async stage => {
    const container = await stage.container('user', { timeoutMs: LONG_MS })
    await stage.sendUntilAcknowledged(newUser('before'), container)
    await pair.replayed()
    await pauseReplay(pair)
    const fault = stage.proxy.addFault({ on: 'statement', matches: 'COMMIT', when: 'after', action: 'silence' })
    const sending = stage.send(newUser('one'), container)
    await fault.firstFired
    await pair.received()
    pair.address.resetCounts()
    await pair.primary.stop('immediate')
    pair.moveAddress()
    stage.proxy.cutAll('reset')
    stage.note('COMMIT done and its answer lost, failover to a standby that has not replayed it')
    const isAsked = () => pair.address.statementFlights().some(flight => flight.some(text => text.includes('pg_xact_status')))
    while (!isAsked()) await sleep(LOOK_AGAIN_MS)
    await ask(pair.standby, 'SELECT pg_wal_replay_resume()')
    await pair.promote()
    await sending
    await stage.sendUntilAcknowledged(newUser('one'), container)
  })
}

async function pauseReplay({ standby }: FailoverPair): Promise<void> {
  await ask(standby, 'SELECT pg_wal_replay_pause()')
  while ((await ask<{ state: string }>(standby, 'SELECT pg_get_wal_replay_pause_state() AS state'))[0]?.state !== 'paused') await sleep(LOOK_AGAIN_MS)
}

/** Begins a call, and kills its container when a statement of it comes by; `meanwhile` is done before that. A call without the statement ends by itself. */
async function killedAt(
  matches: RegExp | string,
  container: Container,
  { proxy, query, note }: Stage,
  begin: (container: Container) => Promise<unknown>,
  meanwhile?: () => Promise<unknown>,
): Promise<void> {
  const fault = proxy.addFault({ on: 'statement', matches, when: 'before', action: 'silence' })
  const calling = begin(container)
  await Promise.race([fault.firstFired, calling])
  fault.remove()
  await meanwhile?.()
  note(`container killed at ${String(matches)}`)
  await container.destroy()
  proxy.cutAll('reset')
  await calling
  // The locks of its transaction are held until the server has noticed.
  while ((await query(IN_TRANSACTION)).length > 0) await sleep(LOOK_AGAIN_MS)
}
