import { type HangUp } from '../../proxy/faults.ts'
import { type Row } from '../row.ts'
import { SAVEPOINT_RELEASE } from '../../own-statements.ts'
import { MIDDLE } from '../workloads.ts'

/** Phases of a transaction, by the statement at which the pooler hangs up. */
const PHASES: Readonly<Record<string, RegExp | string>> = {
  'START TRANSACTION': /^START TRANSACTION/,
  'the middle statement': MIDDLE,
  'the identity': /pg_current_xact_id/,
  'a savepoint': /^SAVEPOINT/,
  'the end of a savepoint': SAVEPOINT_RELEASE,
  COMMIT: 'COMMIT',
}
const WHENS = ['before', 'after'] as const
const POOLERS: Readonly<Record<string, HangUp['error']>> = {
  PgBouncer: { code: '08P01', message: 'server conn crashed?' },
  'another pooler': { code: '58000', message: 'server connection lost' },
}

const FORMS = Object.keys(POOLERS).flatMap(pooler =>
  Object.keys(PHASES).flatMap(phase => WHENS.map(when => ({ pooler, phase, when, name: `${when} ${phase}, ${pooler}` }))),
)

/** PgBouncer up to 1.15 reports what it met as an ERROR, as the server does with what it refuses, and closes the connection. */
export const hangsUp: Row = {
  number: 19,
  fault: 'ERROR of an old pooler that then hangs up',
  variants: FORMS.map(({ name }) => name),
  async scenario({ call, proxy, variant }) {
    await call()
    const form = FORMS.find(({ name }) => name === variant)
    if (form === undefined) throw new Error(`There is no variant ${variant}`)
    const { pooler, phase, when } = form
    const action: HangUp = { error: { severity: 'ERROR', ...(POOLERS[pooler] as HangUp['error']) }, hangsUp: true }
    // A phase that this kind of work does not have is passed over.
    const fault = proxy.addFault({ on: 'statement', matches: PHASES[phase] as RegExp | string, when, action })
    await call()
    fault.remove()
    await call()
  },
}
