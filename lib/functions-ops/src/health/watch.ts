import type { Deadline } from '../../../invocation/src/deadline.ts'
import { safeExecute } from '../../../resilient-sequelize/src/operation/safe-execute.ts'
import type { DatabaseService } from '../../../functions-runtime/src/database/service.ts'
import type { Statement } from '../../../functions-runtime/src/database/sql.ts'
import type { Counters } from '../../../functions-runtime/src/telemetry/counters.ts'
import type { Logger } from '../../../functions-runtime/src/telemetry/logger.ts'
import { alertKinds, type Finding } from '../alerts/alert.ts'

/** A figure of the application that the scheduled check watches: at `threshold` it is worth an alert. */
export interface Watch extends Omit<Finding, 'observed'> {
  /** Answers one row, whose column \`observed\` is the figure; null when there is none. */
  readonly statement: Statement
}

interface WatchTools {
  readonly database: Pick<DatabaseService, 'execute'> | undefined
  readonly deadline: Deadline
  readonly logger: Logger
  readonly counters: Counters
}

// Of the time that is left, for all of them.
const SHARE = 1 / 4

/** @throws TypeError when two have one kind, or one has a kind of the framework: they would end each other's alerts. */
export function refuseTakenKinds(watches: readonly Watch[]): void {
  const taken = new Set<string>(alertKinds)
  for (const { kind } of watches) {
    if (taken.has(kind)) throw new TypeError(`There is more than one alert of the kind ${kind}.`)
    taken.add(kind)
  }
}

/** How they stand. One that fails or takes too long has no figure, and keeps none of the others from having one. Never rejects. */
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

// Counts and sums are bigint and numeric, which the driver gives as text.
function figureOf(value: unknown): number | undefined {
  if (value === null || value === undefined) return undefined
  const figure = Number(value)
  if (!Number.isFinite(figure)) throw new TypeError('The statement of a watch answered no number.')
  return figure
}
