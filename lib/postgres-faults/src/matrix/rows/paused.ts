import { setTimeout as sleep } from 'node:timers/promises'
import { REVALIDATE_AFTER_MS } from '../../../../resilient-sequelize/src/pool/lease.ts'
import { withConnection } from '../../../../functions-devkit/src/server/postgres/connection.ts'
import { observe } from '../call.ts'
import { type Ground, sharedGround } from '../ground.ts'
import { containers, type PausedContainer } from '../paused/containers.ts'
import { overruns, type ContainerOrder, type Overrun } from '../paused/orders.ts'
import { operationName, type Repetition } from '../repetition.ts'
import { type Row } from '../row.ts'
import { endSessions } from '../sessions.ts'
import { TIME_LIMIT_MS } from '../subject.ts'

// Whether the connection is old enough to be looked at before it is used.
const LOOKED_AT = ', later'
const DEADLINE_MS = 3_000
// Until the end of a connection has arrived at a process that does not run.
const ARRIVES_MS = 50
const LOCK_WITHIN_MS = 3_000

const lent = containers(4)
const ground: Ground = { ...sharedGround, stop: () => lent.stop() }

/** The connection ends while the container is paused; the request is there before the process runs again. */
export const endedWhilePaused: Row = {
  number: 2,
  fault: 'ended, reset or closed while paused',
  variants: ['terminated', 'reset', 'close'].flatMap(how => [how, `${how}${LOOKED_AT}`]),
  ground,
  scenario: repetition =>
    lent.borrow(async container => {
      const { database, proxy, environment, applicationName, variant } = repetition
      await container.open(applicationName, environment)
      await request(container, repetition)
      if (variant.endsWith(LOOKED_AT)) await container.advance(REVALIDATE_AFTER_MS)
      container.pause()
      if (variant.startsWith('terminated')) await endSessions(database, applicationName)
      else proxy.cutAll(variant.startsWith('reset') ? 'reset' : 'close')
      await sleep(ARRIVES_MS)
      const waiting = request(container, repetition)
      await sleep(ARRIVES_MS)
      container.resume()
      await waiting
      await request(container, repetition)
      await container.close()
    }),
}

/** A handler overruns its time, is answered 504, and the container is stopped in the same moment. */
export const overrun: Row = {
  number: 13,
  fault: 'handler overruns, 504, paused',
  variants: overruns,
  // A server that is told to take its time, or that says a moment too late that it has stopped, cannot be told from one
  // that is silent.
  codes: ({ variant }) => ['deadline-exceeded', ...(variant.startsWith('in a statement') ? ['database-busy'] : [])],
  ground,
  scenario: repetition =>
    lent.borrow(async container => {
      const { database, environment, applicationName, variant, kind, figure } = repetition
      const lock = Math.floor(Math.random() * 2 ** 31)
      await database.query('INSERT INTO contended VALUES ($1, 0)', [lock])
      await container.open(applicationName, environment)
      await request(container, repetition)
      await request(container, repetition, { how: variant as Overrun, lock })
      const ms = await lockedAfter(repetition, lock)
      if (kind !== 'read') figure('the row is free after the answer', ms)
      container.resume()
      await request(container, repetition)
      await container.close()
    }),
}

async function request(container: PausedContainer, { kind, record }: Repetition, overrun?: ContainerOrder['overrun']): Promise<void> {
  const order = { kind, operation: operationName(), ...(overrun ? { overrun } : {}) }
  const options = { remainingMs: TIME_LIMIT_MS, stopAfterwards: overrun !== undefined }
  record(await observe(order, DEADLINE_MS, () => container.call(order, options)))
}

/** How long another session waits for the row, in ms; rejects when that is longer than a request has. */
async function lockedAfter({ database: { server, name } }: Repetition, row: number): Promise<number> {
  return withConnection(server, name, async client => {
    const askedAt = performance.now()
    await client.query(`SET lock_timeout = ${LOCK_WITHIN_MS}`)
    await client.query('UPDATE contended SET touched = touched + 1 WHERE id = $1', [row])
    return performance.now() - askedAt
  })
}
