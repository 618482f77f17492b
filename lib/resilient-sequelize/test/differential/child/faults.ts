import type { SequelizeClass } from '../case.ts'
import type { Subject } from './subjects.ts'

/** Makes a class of Sequelize wrong in one way. */
type Fault = (Class: SequelizeClass) => SequelizeClass

type Method = (this: object, ...given: never[]) => unknown
type Query = (this: object, text: unknown, options?: { readonly transaction?: unknown }) => Promise<unknown>
interface Row {
  [name: string]: unknown
}

/** Faults that the comparison has to find; `harness.test.ts` names a case that finds each. */
const faults: Readonly<Record<string, Fault>> = {
  'drops a row': answering(result => (Array.isArray(result) && result.length > 1 ? result.slice(0, -1) : result)),
  'adds a row': answering(result => (Array.isArray(result) ? [...(result as unknown[]), { id: 99 }] : result)),
  'turns dates into texts': answering(result => eachRow(result, value => (value instanceof Date ? value.toISOString() : value))),
  'turns texts into numbers': answering(result =>
    eachRow(result, value => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value)),
  ),
  'takes found rows for new ones': answering(result => {
    for (const one of Array.isArray(result) ? (result as unknown[]) : [])
      if (typeof one === 'object' && one !== null && 'isNewRecord' in one) one.isNewRecord = true
    return result
  }),
  'counts a row too many': answering(result => (typeof result === 'number' ? result + 1 : result)),
  'returns rows without metadata': answering(result =>
    Array.isArray(result) && result.length === 2 && Array.isArray(result[0]) ? (result[0] as unknown) : result,
  ),
  'swallows errors': failing(() => undefined),
  'throws errors of another class': failing(error => {
    throw new Error(error.message)
  }),
  'throws errors without the constraint': failing(error => {
    const { original } = error as { original?: Row }
    if (original) delete original.constraint
    throw error
  }),
  'sends another statement': asking((text, options) => [typeof text === 'string' ? `${text} /* changed */` : text, options]),
  'commits instead of rolling back': asking((text, options) => [text === 'ROLLBACK;' ? 'COMMIT;' : text, options]),
  'leaves the ambient transaction': asking((text, options) => [text, { ...options, transaction: options?.transaction ?? null }]),
  'leaves a rejection unhandled': asking((text, options) => {
    void Promise.reject(new Error('left alone'))
    return [text, options]
  }),
  'ends the process': asking(() => process.exit(7)),
  'calls hooks twice': replaced(
    'runHooks',
    runHooks =>
      async function (...given) {
        await runHooks.call(this, ...given)
        return runHooks.call(this, ...given)
      },
  ),
  'does not close': replaced('close', () => async () => undefined),
}

/** The subject with a fault. */
export function withFault(subject: Subject, name: string): Subject {
  const fault = faults[name]
  if (fault === undefined) throw new Error(`There is no fault ${name}`)
  return { ...subject, Class: fault(subject.Class) }
}

function replaced(name: 'query' | 'runHooks' | 'close', change: (method: Method) => Method): Fault {
  return Class => {
    const Faulty = class extends Class {}
    const method = (Class.prototype as unknown as Record<string, Method>)[name] as Method
    Object.defineProperty(Faulty.prototype, name, { value: change(method), configurable: true, writable: true })
    return Faulty
  }
}

function changedQuery(change: (query: Query) => Query): Fault {
  return replaced('query', query => change(query as Query))
}

function asking(change: (...given: Parameters<Query>) => Parameters<Query>): Fault {
  return changedQuery(
    query =>
      async function (...given) {
        return query.call(this, ...change(...given))
      },
  )
}

function answering(change: (result: unknown) => unknown): Fault {
  return changedQuery(
    query =>
      async function (...given) {
        return change(await query.call(this, ...given))
      },
  )
}

function failing(change: (error: Error) => unknown): Fault {
  return changedQuery(
    query =>
      async function (...given) {
        try {
          return await query.call(this, ...given)
        } catch (error) {
          return change(error as Error)
        }
      },
  )
}

function eachRow(result: unknown, change: (value: unknown) => unknown): unknown {
  const rowOf = (row: Row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, change(value)]))
  return Array.isArray(result) ? result.map(row => (isPlain(row) ? rowOf(row) : (row as unknown))) : isPlain(result) ? rowOf(result) : result
}

function isPlain(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
