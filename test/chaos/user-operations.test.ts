import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { loadModels } from '../../lib/app/database.ts'
import { CodedError } from '../../lib/invocation/src/errors.ts'
import { openDeadline } from '../../lib/invocation/src/deadline.ts'
import { runWithDeadline } from '../../lib/invocation/src/deadline-scope.ts'
import { wrongBalances } from '../support/balances.ts'
import { makeCertificates } from '../../lib/postgres-faults/src/certificates.ts'
import { openLanes } from '../../lib/postgres-faults/src/matrix/lanes.ts'
import { createSubject } from '../../lib/postgres-faults/src/matrix/subject.ts'
import { CHAOS_TIMES } from '../../lib/postgres-faults/src/matrix/times.ts'
import { userOperations, type UserOperation } from '../support/chaos/user-operations.ts'
import { createTestDatabase, type TestDatabase } from '../../lib/functions-devkit/test/support/database.ts'
import { environmentFor } from '../../lib/functions-devkit/test/support/functions.ts'
import type { Cut } from '../../lib/postgres-faults/src/proxy/faults.ts'
import { SAVEPOINT_RELEASE } from '../../lib/postgres-faults/src/own-statements.ts'
import { startProxy } from '../../lib/postgres-faults/src/proxy/proxy.ts'

vi.setConfig({ maxConcurrency: 64 })

// Silence takes up all the time that there is.
const deadlineMs = { reset: 10_000, close: 10_000, silence: 3_000 } as const satisfies Record<Cut, number>
const LATE_MS = 1_000
const cuts: readonly Cut[] = ['reset', 'close', 'silence']
const moments = ['before', 'after'] as const
// Where the time may run out before it is known that nothing will come any more.
const afterSilence = ['database-unavailable', 'database-busy', 'deadline-exceeded', 'request-in-progress']

interface Fault {
  readonly point: string
  readonly matches: RegExp | string
  readonly when: (typeof moments)[number]
  readonly action: Cut
}

function mayBeTold({ point, action }: Fault): string[] {
  if (action !== 'silence') return ['ok']
  return ['ok', ...afterSilence, ...(point === 'COMMIT' ? ['commit-unknown'] : [])]
}

function faultsOf({ bestEffort, writes }: UserOperation): Fault[] {
  const points: readonly (readonly [string, RegExp | string])[] = [
    ['the write', writes],
    ...(bestEffort
      ? []
      : ([
          ['the activity', /INSERT INTO "public"\."activities"/],
          ['the end of its savepoint', SAVEPOINT_RELEASE],
        ] as const)),
    ['COMMIT', 'COMMIT'],
  ]
  return points.flatMap(([point, matches]) => moments.flatMap(when => cuts.map(action => ({ point, matches, when, action }))))
}

const lanes = openLanes(24)
let database: TestDatabase
let certificates: Awaited<ReturnType<typeof makeCertificates>>
beforeAll(async () => {
  database = await createTestDatabase()
  certificates = await makeCertificates()
})
afterAll(async () => {
  const wrong = await wrongBalances(database)
  await database.drop()
  if (wrong.length > 0) throw new Error(`wrong balances: ${JSON.stringify(wrong)}`)
})

describe.for(userOperations)('$name', { timeout: 120_000 + CHAOS_TIMES * 30_000, concurrent: true }, operation => {
  it.for(faultsOf(operation))('keeps its word when the connection ends by $action $when $point', async fault => {
    for (let time = 0; time < CHAOS_TIMES; time += 1) {
      const { fired, told, left, again } = await lanes(() => meet(operation, fault))
      expect(fired).toBe(1)
      expect(mayBeTold(fault)).toContain(told)
      const committed = told === 'ok' || (told === 'commit-unknown' && fault.when === 'after')
      // An activity that was not recorded is no failure; one that is there twice would be.
      const right = operation.bestEffort ? [0, 1] : [committed ? 1 : 0]
      expect(right).toContain(left)
      // Whoever asks again gets it once.
      expect(again).toEqual(operation.bestEffort ? undefined : { told: 'ok', left: 1 })
    }
  })
})

it.for([
  ['after', 'ok', 1],
  ['before', 'commit-unknown', 0],
] as const)('a create is proven by its claim alone when COMMIT was cut %s and the server cannot tell of it: %s', async ([when, told, left]) => {
  for (const operation of userOperations.filter(({ name }) => name === 'create' || name === 'transaction')) {
    const met = await meet(operation, { point: 'COMMIT', matches: 'COMMIT', when, action: 'reset' }, { unidentified: true })
    expect(met).toEqual({ fired: 1, told, left, again: { told: 'ok', left: 1 } })
  }
})

interface Met {
  readonly fired: number
  readonly told: string
  readonly left: number
  readonly again: { readonly told: string; readonly left: number } | undefined
}

async function meet(operation: UserOperation, { matches, when, action }: Fault, { unidentified = false } = {}): Promise<Met> {
  const { host, port } = database.connectionSettings
  const proxy = await startProxy({ target: { host, port }, certificates })
  const environment = { ...environmentFor(database), DB_PORT: String(proxy.port), DB_CA_CERT: proxy.authority }
  const subject = createSubject({ environment, applicationName: `chaos-${randomBytes(6).toString('hex')}`, models: loadModels })
  try {
    const prepared = await operation.prepare(subject.service, database)
    // On a connection that has served before.
    await (await operation.prepare(subject.service, database)).perform()
    if (unidentified) subject.manager.stopIdentifyingTransactions()
    const fault = proxy.addFault({ on: 'statement', matches, when, action })
    const told = await within(deadlineMs[action], prepared.perform)
    const left = await prepared.effects()
    const again = operation.bestEffort ? undefined : { told: await within(deadlineMs.reset, prepared.perform), left: await prepared.effects() }
    return { fired: fault.fired(), told, left, again }
  } finally {
    await subject.manager.gracefulShutdown()
    await proxy.stop()
  }
}

/** What a caller is told, and in time: `ok`, or the code of an error that the project raises on purpose. */
async function within(remainingMs: number, perform: () => Promise<unknown>): Promise<string> {
  const startedAt = performance.now()
  const deadline = openDeadline({ remainingMs, reserveMs: 0 })
  const told = await runWithDeadline(deadline, perform).then(
    () => 'ok',
    (error: unknown) => (error instanceof CodedError ? error.code : `not on purpose: ${String(error)}`),
  )
  deadline.clear()
  return performance.now() - startedAt < remainingMs + LATE_MS ? told : `too late: ${told}`
}
