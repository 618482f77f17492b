import type { PruningRule } from '../../../functions-runtime/src/database/retention.ts'

interface Named {
  /** What the report calls it. */
  readonly name: string
  readonly table: string
}

/** A table whose old rows are deleted, or lose a part of what they hold. */
export interface PrunedTable extends Omit<PruningRule, 'keepDays' | 'name'>, Named {
  /** How old a row has to be, in ms. */
  readonly keepMs: number
}

/** The same as an application declares it. */
export interface DeclaredTable extends Omit<PruningRule, 'name'>, Named {}
