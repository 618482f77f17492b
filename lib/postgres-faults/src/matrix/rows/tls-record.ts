import { type Cut, type Fault } from '../../proxy/faults.ts'
import { RECORD_HEADER_BYTES } from '../../proxy/tls-records.ts'
import { SAVEPOINT_RELEASE } from '../../own-statements.ts'
import { meets, withCommit } from '../repetition.ts'
import { type Row } from '../row.ts'
import { MIDDLE, type Kind } from '../workloads.ts'

const STATEMENT_ANSWERED = 'the answer to a statement'
const STATEMENT_SENT = 'a statement on its way'

/** Where a record is cut; without an event it is a record of the next connection, or of the next call. */
interface Place {
  readonly from: 'client' | 'server'
  /** Records of that direction that pass first. */
  readonly after?: number
  /** Whether the connection is a new one. */
  readonly isCold?: boolean
  /** The proxy keeps everything from here on back until the cut waits for it. */
  readonly event?: (kind: Kind) => Fault
}

// Enough for a busy machine to add the cut.
const HELD_BACK = { delayMs: 100 }
const answerTo = (matches: RegExp | string): Fault => ({ on: 'statement', matches, when: 'after', action: HELD_BACK })
const LAST_STATEMENTS: Readonly<Record<Kind, RegExp>> = { read: MIDDLE, write: MIDDLE, transaction: /SELECT \$1::text, 3/, logged: SAVEPOINT_RELEASE }

const PLACES: Readonly<Record<string, Place>> = {
  'the handshake': { from: 'server', isCold: true },
  "the end of the client's handshake": { from: 'client', after: 1, isCold: true },
  // Behind the two questions of SCRAM.
  'the answer to log-in': { from: 'server', after: 2, isCold: true, event: () => ({ on: 'connect', when: 'startup', action: HELD_BACK }) },
  [STATEMENT_SENT]: { from: 'client' },
  [STATEMENT_ANSWERED]: { from: 'server', event: () => answerTo(MIDDLE) },
  'COMMIT on its way': { from: 'client', event: kind => answerTo(LAST_STATEMENTS[kind]) },
  'the answer to COMMIT': { from: 'server', event: () => answerTo('COMMIT') },
}
const DEPTHS: Readonly<Record<string, number>> = { 'in its header': RECORD_HEADER_BYTES - 2, 'a byte before its end': -1 }
const MANNERS: readonly Cut[] = ['reset', 'close', 'silence']

const FORMS = Object.keys(PLACES).flatMap(place =>
  Object.keys(DEPTHS).flatMap(depth => MANNERS.map(manner => ({ place, depth, manner, name: `${place}, ${depth}, ${manner}` }))),
)

/** The connection ends, or goes silent, when a part of a TLS record has arrived. */
export const cutInsideRecord: Row = {
  number: 23,
  fault: 'cut inside a TLS record',
  variants: FORMS.map(({ name }) => name),
  cutsRecords: true,
  // Silence while connecting takes two fifths of the time; on a busy machine a second connection has to fit behind it.
  deadlineMs: 6_000,
  // As of any silence in the middle of a statement: a read has a second attempt, a write may have used up its time.
  codes: ({ kind, variant }) => (kind !== 'read' && isSilentStatement(variant) ? ['database-unavailable', 'database-busy', 'deadline-exceeded'] : []),
  async scenario(repetition) {
    const { call, cutter, find, kind, proxy, variant } = repetition
    if (cutter === undefined) throw new Error('This row has to cut records')
    const { place, manner, bytes } = formOf(variant)
    const { from, after = 0, isCold = false, event } = place
    if (!isCold) await call()
    const addCut = () => cutter.addCut({ from, after, bytes, manner })
    if (event === undefined) {
      const cut = addCut()
      await call()
      if (cut.fired() === 0) find('no record was cut')
    } else {
      const fault = proxy.addFault(event(kind))
      const calling = call(withCommit(kind))
      if (!(await meets(calling, fault))) find('the place of the cut was never reached')
      await cutter.passed()
      const cut = addCut()
      await calling
      if (cut.fired() === 0) find('no record was cut')
    }
    await call()
  },
}

function isSilentStatement(variant: string): boolean {
  return variant.endsWith('silence') && (variant.startsWith(STATEMENT_ANSWERED) || variant.startsWith(STATEMENT_SENT))
}

function formOf(variant: string): { place: Place; bytes: number; manner: Cut } {
  const form = FORMS.find(({ name }) => name === variant)
  const place = form && PLACES[form.place]
  if (form === undefined || place === undefined) throw new Error(`There is no variant ${variant}`)
  return { place, bytes: DEPTHS[form.depth] ?? 0, manner: form.manner }
}
