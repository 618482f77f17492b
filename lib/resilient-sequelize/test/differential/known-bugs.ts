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
