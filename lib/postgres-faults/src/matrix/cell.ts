import { randomBytes } from 'node:crypto'
import { makeCertificates } from '../certificates.ts'
import { startProxy } from '../proxy/proxy.ts'
import { startRecordCutter } from '../proxy/record-cutter.ts'
import { type Call } from './call.ts'
import { type ChaosDatabase } from './chaos-database.ts'
import { sharedGround } from './ground.ts'
import { openLanes } from './lanes.ts'
import { createRepetition, type Repetition } from './repetition.ts'
import { type Row } from './row.ts'
import { createSubject, environmentOf } from './subject.ts'
import { addCall, addFigure, emptyTally, type Tally } from './tally.ts'
import { timesOf } from './times.ts'
import { openWay, type Through } from './way.ts'
import { type Kind } from './workloads.ts'

// Most of a repetition is waiting; so many at once keep two cores busy and no timer late.
const AT_ONCE = 12
const DEADLINE_MS = 3_000

const lanes = openLanes(AT_ONCE)
let certificates: ReturnType<typeof makeCertificates> | undefined

export interface CellOptions {
  /** Default: straight to the server. */
  through?: Through
  /** Default: as often as is asked for. */
  times?: number
}

/** Runs all repetitions of one cell, and counts what became of their calls. */
export async function runCell(row: Row, kind: Kind, { through = 'direct', times }: CellOptions = {}): Promise<Tally> {
  const tally = emptyTally()
  const field = await (row.ground ?? sharedGround).open()
  const length = times ?? timesOf({ variants: row.variants, slow: row.slow ?? false })
  const repetitions = Array.from({ length }, (_, index) => {
    const variant = row.variants[index % row.variants.length] ?? ''
    return lanes(() => field.borrow(database => repeat(row, { kind, variant, through }, { database, tally })))
  })
  const failed = (await Promise.allSettled(repetitions)).find(repetition => repetition.status === 'rejected')
  await field.close()
  if (failed) throw failed.reason
  return tally
}

/** Which of a row's forms a repetition has. */
type Form = Pick<Repetition, 'kind' | 'variant' | 'through'>

async function repeat(row: Row, form: Form, { database, tally }: { database: ChaosDatabase; tally: Tally }): Promise<void> {
  const { variant } = form
  const applicationName = `chaos-${row.number}-${randomBytes(6).toString('hex')}`
  const way = await openWay(form.through, database, row.pooler?.(variant))
  const proxy = await startProxy({ target: way.target, certificates: await (certificates ??= makeCertificates()) })
  const cutter = row.cutsRecords === true ? await startRecordCutter(proxy) : undefined
  const environment = environmentOf({
    database,
    proxy: { ...(cutter ?? proxy), authority: proxy.authority },
    poolMax: row.poolMax ?? 1,
    variables: way.variables,
  })
  const subject = createSubject({ environment, applicationName })
  const calls: Call[] = []
  const codes = typeof row.codes === 'function' ? row.codes(form) : (row.codes ?? [])
  const repetition = createRepetition({
    ...subject,
    ...form,
    database,
    proxy,
    cutter,
    target: way.target,
    pooler: way.pooler,
    environment,
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
    tally.backendsLeft += await way.leftOver(applicationName)
    tally.connections += proxy.counts().connections
    // Only now can nothing change any more: no session is left that could still commit.
    const rows = await database.rowsOf(calls.map(({ order }) => order.operation))
    for (const call of calls) addCall(tally, { variant, codes }, call, rows.get(call.order.operation) ?? { parts: new Map(), logs: 0 })
  } finally {
    await subject.manager.gracefulShutdown()
    await cutter?.stop()
    await proxy.stop()
    await way.stop()
  }
}
