/** A table whose old rows are deleted, or lose a part of what they hold. */
export interface PrunedTable {
  /** What the answer calls it. */
  readonly name: string
  readonly table: string
  /** The column that a row's age is counted from; it leads an index, and a row where it is null is kept for good. */
  readonly since: string
  /** In SQL, which rows are meant at all; the index is made for the same ones. */
  readonly only?: string
  /** The columns that lose their value; without any the row goes. Rows where the first is null have lost it already. */
  readonly clear?: readonly string[]
  /** In SQL, what else the row is set to when it is cleared. */
  readonly set?: string
  /** How old a row has to be, in ms. */
  readonly keepMs: number
}

/** A table of an application whose old rows are deleted. */
export interface DeclaredTable extends Omit<PrunedTable, 'keepMs'> {
  /** For how many days its rows are kept: a number, or a variable with the number that holds without it. */
  readonly keepDays: number | { readonly setting: string; readonly fallback: number }
}
