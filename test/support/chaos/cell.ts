import { randomBytes } from 'node:crypto'
import { makeCertificates } from '../certificates.ts'
import { startProxy } from '../proxy/proxy.ts'
import { type Call } from './call.ts'
import { type ChaosDatabase } from './chaos-database.ts'
import { behindDoor } from './door.ts'
import { sharedGround } from './ground.ts'
import { openLanes } from './lanes.ts'
import { createRepetition } from './repetition.ts'
import { type Row } from './row.ts'
import { leftOver } from './sessions.ts'
import { createSubject } from './subject.ts'
import { addCall, addFigure, emptyTally, type Tally } from './tally.ts'
import { timesOf } from './times.ts'
import { type Kind } from './workloads.ts'

// Most of a repetition is waiting; so many at once keep two cores busy and no timer late.
const AT_ONCE = 12
const DEADLINE_MS = 3_000

const lanes = openLanes(AT_ONCE)
let certificates: ReturnType<typeof makeCertificates> | undefined

/** Runs all repetitions of one cell, by default as many as are asked for, and counts what became of their calls. */
export async function runCell(row: Row, kind: Kind, times = timesOf({ variants: row.variants, slow: row.slow ?? false })): Promise<Tally> {
  const tally = emptyTally()
  const field = await (row.ground ?? sharedGround).open()
  const repetitions = Array.from({ length: times }, (_, index) =>
    lanes(() => field.borrow(database => repeat(row, kind, row.variants[index % row.variants.length] ?? '', { database, tally }))),
  )
  const failed = (await Promise.allSettled(repetitions)).find(repetition => repetition.status === 'rejected')
  await field.close()
  if (failed) throw failed.reason
  return tally
}

async function repeat(row: Row, kind: Kind, variant: string, { database, tally }: { database: ChaosDatabase; tally: Tally }): Promise<void> {
  const applicationName = `chaos-${row.number}-${randomBytes(6).toString('hex')}`
  const { host, port } = database.server
  const started = await startProxy({ target: { host, port }, certificates: await (certificates ??= makeCertificates()) })
  const proxy = row.vanishes ? await behindDoor(started) : started
  const subject = createSubject({ database, proxy, applicationName, poolMax: row.poolMax ?? 1 })
  const calls: Call[] = []
  const codes = typeof row.codes === 'function' ? row.codes({ kind, variant }) : (row.codes ?? [])
  const repetition = createRepetition({
    ...subject,
    kind,
    variant,
    database,
    proxy,
    applicationName,
    deadlineMs: row.deadlineMs ?? DEADLINE_MS,
    substitute: row.substitute?.(subject),
    onCall: call => void calls.push(call),
    figure: (name, ms) => addFigure(tally, `${variant}: ${name}`, ms),
    find: what => void tally.findings.push(`${variant}: ${what}`),
  })
  try {
    await row.scenario(repetition)
    await subject.manager.gracefulShutdown()
    tally.backendsLeft += await leftOver(database, applicationName)
    tally.connections += proxy.counts().connections
    // Only now can nothing change any more: no session is left that could still commit.
    const rows = await database.rowsOf(calls.map(({ order }) => order.operation))
    for (const call of calls) addCall(tally, { variant, codes }, call, rows.get(call.order.operation) ?? { parts: new Map(), logs: 0 })
  } finally {
    await subject.manager.gracefulShutdown()
    await proxy.stop()
  }
}
