/** Rows of a table that maintenance deletes, or takes a part of their content from, when they are old. */
export interface PruningRule {
  /** What the report of maintenance calls it. Default: the table's name, as in `idempotencyKeys`. */
  readonly name?: string
  /** The column that a row's age is counted from; it leads an index. Rows where it is null are kept for good. */
  readonly since: string
  /** For how many days the rows are kept: a number, or a variable with the number that holds without it. */
  readonly keepDays: number | { readonly setting: string; readonly fallback: number }
  /** In SQL, which rows are meant at all; the index is made for the same ones. */
  readonly only?: string
  /** The columns that lose their value; without any the row goes. Rows where the first is null have lost it already. */
  readonly clear?: readonly string[]
  /** In SQL, what else the row is set to when it is cleared. */
  readonly set?: string
}

/** `by-its-package`: the package that reads and writes the table prunes it too. */
export type RetentionRule = 'forever' | 'by-its-package' | PruningRule

/** How long the rows of a table are kept. Several rules together: `['forever', { since: …, only: …, keepDays: 1 }]`. */
export type Retention = RetentionRule | readonly RetentionRule[]

/**
 * Returns the rules of a table as a list.
 * @throws TypeError when the rules contradict each other, or leave open what becomes of some rows.
 */
export function rulesOf(table: string, keep: Retention): readonly RetentionRule[] {
  const rules = isList(keep) ? keep : [keep]
  const fail = (what: string) => {
    throw new TypeError(`The table ${table} ${what}.`)
  }
  if (rules.includes('by-its-package')) {
    if (rules.length > 1) fail("is kept by its package and by other rules: its package knows them all, so keep is 'by-its-package' alone")
    return rules
  }
  const isKept = rules.includes('forever')
  const prunings = rules.filter(rule => typeof rule === 'object')
  const areAllDeleted = prunings.some(({ only, clear }) => only === undefined && clear === undefined)
  if (isKept && areAllDeleted) fail('is kept forever, and one of its rules deletes every old row: leave one of the two out, or write its `only`')
  if (!isKept && !areAllDeleted) fail("has no rule for all of its rows: add 'forever' to keep, or a rule without `only` and `clear`")
  for (const { keepDays } of prunings) {
    const days = typeof keepDays === 'number' ? keepDays : keepDays.fallback
    if (!(days > 0 && days < Infinity)) fail(`keeps rows for ${days} days: write a number above 0 into keepDays`)
  }
  return rules
}

function isList(keep: Retention): keep is readonly RetentionRule[] {
  return Array.isArray(keep)
}
