import type { Deadline } from '../../../invocation/src/deadline.ts'
import { safeExecute } from '../../../resilient-sequelize/src/operation/safe-execute.ts'
import type { DatabaseService } from '../../../functions-runtime/src/database/service.ts'
import type { Statement } from '../../../functions-runtime/src/database/sql.ts'
import type { Counters } from '../../../functions-runtime/src/telemetry/counters.ts'
import type { Logger } from '../../../functions-runtime/src/telemetry/logger.ts'
import { alertKinds, type Finding } from '../alerts/alert.ts'

/** A figure of the application that the scheduled check reads. It raises an alert from `threshold` on. */
export interface Watch extends Omit<Finding, 'observed'> {
  /** Returns one row with the column `observed`: the figure, or null. */
  readonly statement: Statement
}

interface WatchTools {
  readonly database: Pick<DatabaseService, 'execute'> | undefined
  readonly deadline: Deadline
  readonly logger: Logger
  readonly counters: Counters
}

// Share of the time left that all watches together may take.
const SHARE = 1 / 4

/** @throws TypeError for a kind that is used twice or belongs to the framework: one would clear the other's alert. */
export function refuseTakenKinds(watches: readonly Watch[]): void {
  const taken = new Set<string>(alertKinds)
  for (const { kind } of watches) {
    if (taken.has(kind)) throw new TypeError(`The alert kind ${kind} is used more than once.`)
    taken.add(kind)
  }
}

/** Reads all watches. A watch that fails or times out has no figure and does not affect the others. Never rejects. */
export async function lookAtWatches(watches: readonly Watch[], { database, deadline, ...tools }: WatchTools): Promise<Finding[]> {
  const budgetMs = deadline.remainingMs() * SHARE
  const figures = watches.map(async ({ statement, ...watch }) => {
    const look = async () => {
      const [row] =
        (await database?.execute(`health.watch.${watch.kind}`, ({ query }) => query<{ observed: unknown }>(statement), { mode: 'read' })) ?? []
      return figureOf(row?.observed)
    }
    return { ...watch, observed: await safeExecute(look, { operationName: `health.watch.${watch.kind}`, fallbackValue: undefined, budgetMs }, tools) }
  })
  return Promise.all(figures)
}

// The driver returns bigint and numeric as text.
function figureOf(value: unknown): number | undefined {
  if (value === null || value === undefined) return undefined
  const figure = Number(value)
  if (!Number.isFinite(figure)) throw new TypeError('The statement of a watch returned no number.')
  return figure
}
