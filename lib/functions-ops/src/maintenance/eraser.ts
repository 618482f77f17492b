import type { DatabaseService, ExecuteOptions } from '../../../functions-runtime/src/database/service.ts'
import type { Logger } from '../../../functions-runtime/src/telemetry/logger.ts'
import type { PrunedTable } from './pruned-table.ts'

/** Erases what could not be erased together with the person it is about. */
export interface Eraser {
  /** What the report calls it. */
  readonly name: string
  /** Rows of which one is there while anything may be due. */
  readonly due: PrunedTable
  /** Whether it makes pending events due: then it comes before the attempts. */
  readonly beforeAttempts?: boolean
  /** Resolves to how much it erased. */
  readonly erase: (
    database: Pick<DatabaseService, 'execute' | 'hasReported'>,
    options: Required<Pick<ExecuteOptions, 'deadline'>> & { readonly logger: Pick<Logger, 'warn'> },
  ) => Promise<number>
}
