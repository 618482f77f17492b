import { operationName, type CallOptions, type Repetition } from '../repetition.ts'
import { type Row } from '../row.ts'
import { type Kind, type Step } from '../workloads.ts'

const CONSTRAINT = 'constraint violation'
const SYNTAX = 'syntax error'
const SERIALIZATION = 'serialization failure'
const TIMEOUT = 'statement timeout'
const FAILURES = [CONSTRAINT, SYNTAX, SERIALIZATION, TIMEOUT] as const
type Failure = (typeof FAILURES)[number]

/** Statements of a batch; one of them fails. */
const STATEMENTS = 5
// Longer than the time limits of the batch, which the other statements do not reach on a busy machine.
const STATEMENT_LIMIT_MS = 300
const FOR_EVER_S = 60
const HARMLESS = '/* of the batch */ SELECT touched FROM contended WHERE id = 2'
/** A domain that every database has. */
const NO_SUCH_NUMBER = '/* fails */ SELECT (-1)::information_schema.cardinal_number'

/** What the work makes of the error: it ends with it, or goes on as if nothing had happened. */
const ENDINGS = ['thrown', 'swallowed'] as const

interface Form {
  readonly failure: Failure
  readonly position: number
  readonly ending: (typeof ENDINGS)[number]
  readonly name: string
}

const FORMS: readonly Form[] = FAILURES.flatMap(failure =>
  Array.from({ length: STATEMENTS }, (_, position) => position).flatMap(position =>
    ENDINGS.map(ending => ({ failure, position, ending, name: `${failure} in statement ${position + 1} of ${STATEMENTS}, ${ending}` })),
  ),
)

/** The work sends its statements at once, and the server refuses one of them. */
export const failsInBatch: Row = {
  number: 22,
  fault: 'one statement of a batch fails',
  variants: FORMS.map(({ name }) => name),
  codes: ({ variant, kind }) => toldOf(formOf(variant), kind),
  async scenario(repetition) {
    const { call, proxy, find, kind, variant } = repetition
    const form = formOf(variant)
    await call()
    proxy.resetCounts()
    const { outcome } = await call(await batch(repetition, form))
    const together = proxy
      .statementFlights()
      .map(flight => flight.filter(text => text.includes('/* of the batch */') || text.includes('/* fails */')))
    // The log's savepoint keeps back what comes from outside of it.
    if (kind !== 'logged' && !together.some(flight => flight.length === STATEMENTS - ownOf(kind))) find('the batch did not leave in one flight')
    if (kind !== 'read' && outcome.kind === 'ok' && form.failure !== SERIALIZATION) find('a batch with a failed statement is reported as committed')
    await call()
  },
}

function toldOf({ failure, ending }: Form, kind: Kind): readonly string[] {
  const isRead = kind === 'read'
  if (failure === SERIALIZATION) return []
  if (ending === 'swallowed') return isRead ? [] : ['transaction-rolled-back']
  // A read meets the limit of its deadline, and is tried again; a write meets one that the work itself has set.
  if (failure === TIMEOUT) return isRead ? [] : ['57014']
  if (failure === SYNTAX) return ['42601']
  return [isRead ? '23514' : '23505']
}

/** How many statements of a batch are the operation's own. */
function ownOf(kind: Exclude<Kind, 'logged'>): number {
  return kind === 'transaction' ? 3 : 1
}

async function batch({ kind, database }: Repetition, { failure, position, ending }: Form): Promise<CallOptions> {
  const table = operationName()
  const touch = `UPDATE ${table} SET touched = touched + 1 WHERE id = 1`
  const conflicts = failure === SERIALIZATION && kind !== 'read'
  // A table of its own, so that no other repetition stands in its way.
  if (conflicts) await database.query(`CREATE TABLE ${table} AS SELECT * FROM contended WHERE id = 1`)
  return {
    ...(conflicts ? { isolation: 'REPEATABLE READ' as const } : {}),
    async arrange(own, work, attempt) {
      if (conflicts) await work.query(`SELECT touched FROM ${table}`)
      if (conflicts && attempt === 1) await database.query(touch)
      if (failure === TIMEOUT && kind !== 'read') await work.query(`SET LOCAL statement_timeout = ${STATEMENT_LIMIT_MS}`)
      const others = [...own, ...Array.from({ length: STATEMENTS - 1 - own.length }, () => () => work.query(HARMLESS))]
      const failing = () => work.query(failingStatement(failure, { kind, attempt, touch }))
      const swallow = (step: Step) => () => step().catch(() => undefined)
      // Behind a failed statement of a transaction all others fail; those of a read stand each for itself.
      const company = ending === 'swallowed' && kind !== 'read' ? others.map(swallow) : others
      await Promise.all(company.toSpliced(position, 0, ending === 'swallowed' ? swallow(failing) : failing).map(step => step()))
    },
  }
}

function failingStatement(failure: Failure, { kind, attempt, touch }: { kind: Kind; attempt: number; touch: string }): string {
  switch (failure) {
    case CONSTRAINT:
      return kind === 'read' ? NO_SUCH_NUMBER : '/* fails */ INSERT INTO contended VALUES (1, 0)'
    case SYNTAX:
      return '/* fails */ SELEC touched FROM contended'
    case SERIALIZATION:
      // The server has no conflict for a read at READ COMMITTED.
      if (kind !== 'read') return `/* fails */ ${touch}`
      return attempt === 1 ? "/* fails */ DO $$ BEGIN RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END $$" : HARMLESS
    case TIMEOUT:
      return kind === 'read' && attempt > 1 ? HARMLESS : `/* fails */ SELECT pg_sleep(${FOR_EVER_S})`
    default:
      return failure satisfies never
  }
}

function formOf(variant: string): Form {
  const form = FORMS.find(({ name }) => name === variant)
  if (form === undefined) throw new Error(`There is no variant ${variant}`)
  return form
}
