import type { Variant } from './variants.ts'

/** A case in which the package differs from Sequelize against its design. */
export interface KnownBug {
  readonly group: string
  readonly title: string
  /** What differs. */
  readonly what: string
  /** Where it differs; everywhere without it. */
  readonly where?: Partial<Variant>
}

/** Each of them has to differ still: a case that no longer does fails until it leaves this list. */
export const knownBugs: readonly KnownBug[] = [
  {
    group: 'hooks',
    title: 'gives the options of a query to its hooks',
    what: '`options.transaction` is null and present, where Sequelize has none.',
  },
  {
    group: 'raw',
    title: 'gives options to the logging function',
    what: '`options.transaction` is null and present, where Sequelize has none.',
  },
  {
    group: 'hooks',
    title: 'fails when a connection hook throws',
    what: 'A stand-alone call wraps the error of a `beforeConnect` hook into a DatabaseError.',
  },
  {
    group: 'errors',
    title: "reports the application's own query_timeout",
    what: '`error.parent.parameters` is {} where Sequelize has undefined.',
  },
  {
    group: 'transactions',
    title: 'describes a transaction',
    what: 'The class of a transaction is called StandingTransaction.',
  },
  {
    group: 'lifecycle',
    title: 'sends queries of pg with their own options',
    what: 'A lent connection ignores the `rowMode` and `types` of a query of pg.',
  },
  {
    group: 'types',
    title: 'reads types that were made after the connection',
    what: 'An array of an enum that was made after the first connection is parsed, where Sequelize returns its text.',
  },
  {
    group: 'types',
    title: 'reads a range type made after the connection',
    what: 'A range that was made after the first connection is parsed, where Sequelize returns its text.',
  },
]

/** The known bug that a case shows in a variant, if any. */
export function knownBug({ group, title }: { group: string; title: string }, variant: Variant): KnownBug | undefined {
  return knownBugs.find(
    bug =>
      bug.group === group &&
      bug.title === title &&
      Object.entries(bug.where ?? {}).every(([name, value]) => variant[name as keyof Variant] === value),
  )
}
