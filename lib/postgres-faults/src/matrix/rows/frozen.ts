import { setTimeout as sleep } from 'node:timers/promises'
import { type Fault } from '../../proxy/faults.ts'
import { GRACE_MS, observe } from '../call.ts'
import { type Ground, sharedGround } from '../ground.ts'
import { containers, type PausedContainer } from '../paused/containers.ts'
import { operationName, type Repetition } from '../repetition.ts'
import { type Row } from '../row.ts'
import { endSessions, leftOver } from '../sessions.ts'
import { TIME_LIMIT_MS } from '../subject.ts'
import { MIDDLE, type Order } from '../workloads.ts'

const TERMINATED = 'terminated'
const TERMINATED_LATE = 'terminated while the other waits'
const TIMED_OUT = 'timed out'
const ENDS = [TERMINATED, TERMINATED_LATE, TIMED_OUT] as const

// Longer than any repetition: what is kept back for so long is never passed on.
const NEVER_MS = 60_000
// A process that is signalled runs for a moment still; the answer arrives when it has stopped.
const LATE_MS = 100
/** What the container waits for while it is frozen. */
const MOMENTS: Readonly<Record<string, Fault>> = {
  'START TRANSACTION on its way': { on: 'statement', matches: /^START TRANSACTION/, when: 'before', action: { delayMs: NEVER_MS } },
  'a statement answered': { on: 'statement', matches: MIDDLE, when: 'after', action: { delayMs: LATE_MS } },
  'COMMIT on its way': { on: 'statement', matches: 'COMMIT', when: 'before', action: { delayMs: NEVER_MS } },
  'COMMIT answered': { on: 'statement', matches: 'COMMIT', when: 'after', action: { delayMs: LATE_MS } },
}
const FORMS = ENDS.flatMap(how => Object.entries(MOMENTS).map(([moment, fault]) => ({ how, fault, name: `${how}, ${moment}` })))

const LOOK_AGAIN_MS = 10
const MOST_REPEATS = 5
const REQUEST_MS = 3_000
// Of a request that is frozen; it is looked at when it is woken.
const FROZEN_MS = 30_000

const lent = containers(4)
const ground: Ground = { ...sharedGround, stop: () => lent.stop() }

/**
 * A container is frozen in the middle of a request and woken when the server has ended its session; meanwhile the same
 * request was repeated in another container until it was acknowledged.
 */
export const frozenInRequest: Row = {
  number: 25,
  fault: 'frozen in mid-request, session ended, request repeated elsewhere',
  variants: FORMS.map(({ name }) => name),
  // The frozen request's time may be over when it is woken, also for asking what became of its COMMIT; the other one may
  // wait for its lock until then.
  codes: ({ kind, variant }) =>
    variant.startsWith(TIMED_OUT) ? ['deadline-exceeded', 'database-busy', ...(kind === 'read' ? [] : ['commit-unknown'])] : [],
  slow: true,
  ground,
  scenario: repetition =>
    lent.borrow(async container => {
      const { applicationName, call, environment, find, kind, proxy, record, variant } = repetition
      const form = FORMS.find(({ name }) => name === variant)
      if (form === undefined) throw new Error(`There is no variant ${variant}`)
      const frozen = `${applicationName}-frozen`
      await container.open(frozen, environment)
      await request(container, repetition, { kind, operation: operationName() })
      await call()

      const order = { kind, operation: operationName(), claimed: true }
      const fault = proxy.addFault(form.fault)
      const requested = observe(order, FROZEN_MS, () => container.call(order, { remainingMs: TIME_LIMIT_MS }))
      // A kind of work that does not have the moment has nothing to be frozen in.
      const isMet = await Promise.race([fault.firstFired.then(() => true), requested.then(() => false)])
      if (isMet) container.pause()
      else fault.remove()
      await repeatUntilEnded(repetition, { how: form.how, frozen, order })
      container.resume()
      const wokenAt = performance.now()
      record(await requested)
      const ms = performance.now() - wokenAt
      if (ms > REQUEST_MS + GRACE_MS) find(`the woken request took ${Math.round(ms)} ms`)

      await request(container, repetition, { kind, operation: operationName() })
      await call()
      await container.close()
    }),
}

interface Frozen {
  readonly how: (typeof ENDS)[number]
  /** The name of the container's sessions. */
  readonly frozen: string
  readonly order: Order
}

/** Repeats the request elsewhere until it is acknowledged; resolves when the frozen container has no session any more. */
async function repeatUntilEnded(repetition: Repetition, { how, frozen, order }: Frozen): Promise<void> {
  const { database, through } = repetition
  if (how === TERMINATED) await endSessions(database, frozen)
  const repeated = repeat(repetition, order)
  if (how === TERMINATED_LATE) {
    await untilBlocked(repetition, frozen, repeated)
    await endSessions(database, frozen)
  }
  await repeated
  // A pooler's session is lent to others afterwards.
  if (how === TIMED_OUT) await leftOver(database, frozen, { busyOnly: through === 'pooler' })
}

async function repeat({ call, find }: Repetition, order: Order): Promise<void> {
  for (let repeats = 0; repeats < MOST_REPEATS; repeats += 1) if ((await call(order)).outcome.kind === 'ok') return
  find('the repeated request was never acknowledged')
}

/** Resolves when a session of the other container waits for a lock, or never will. */
async function untilBlocked({ database, applicationName }: Repetition, frozen: string, repeated: Promise<void>): Promise<void> {
  let isOver = false
  void repeated.finally(() => (isOver = true))
  const sql = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
    AND starts_with(application_name, $1) AND NOT starts_with(application_name, $2)`
  while (!isOver && (await database.query(sql, [applicationName, frozen])).length === 0) await sleep(LOOK_AGAIN_MS)
}

async function request(container: PausedContainer, { record }: Repetition, order: Order): Promise<void> {
  record(await observe(order, REQUEST_MS, () => container.call(order, { remainingMs: TIME_LIMIT_MS })))
}
