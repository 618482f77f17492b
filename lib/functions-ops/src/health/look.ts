import type { BufferSettings } from '../../../webhook-inbox/src/settings/buffer.ts'
import { codeOf } from '../../../resilient-sequelize/src/errors/code-of.ts'
import { classifyError } from '../../../resilient-sequelize/src/errors/classify-error.ts'
import { DeadlineExceededError } from '../../../invocation/src/errors.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { bufferStand, type BufferStand } from '../../../webhook-inbox/src/buffer/stand.ts'
import type { HealthDatabase } from './health-database.ts'
import { askDatabase, type DatabaseLook } from './questions.ts'

/** What came of asking somebody, and how long that took, in ms. */
export type Asked<Seen> =
  | { readonly ms: number; readonly seen: Seen }
  /** `crowded`: it is there, and had no connection to spare. */
  | { readonly ms: number; readonly code: string; readonly crowded: boolean }

/** What one round saw. `undefined`: there is nothing to ask. */
export interface Look {
  /** ISO 8601. */
  readonly time: string
  readonly database: Asked<DatabaseLook> | undefined
  readonly buffer: Asked<BufferStand> | undefined
}

export interface LookOptions {
  /** Names of the migrations that the database has to have. */
  readonly migrations: readonly string[]
  database: HealthDatabase | undefined
  buffer: BufferSettings | undefined
  /** How long each may take, in ms. */
  withinMs?: number
}

// Shorter than any deadline, so that the answer is the check's and not the clock's.
export const LOOK_MS = 3_000

/** Asks the database and Redis at the same time, each within its own bound; never rejects. */
export async function look({ database, migrations, buffer, withinMs = LOOK_MS }: LookOptions): Promise<Look> {
  const [seenDatabase, seenBuffer] = await Promise.all([
    database === undefined
      ? undefined
      : asked(withinMs, signal => database.ask(signal, client => askDatabase(client, { schema: database.schema, migrations }))),
    buffer === undefined ? undefined : asked(withinMs, (_signal, deadline) => bufferStand(buffer, deadline)),
  ])
  return { time: new Date().toISOString(), database: seenDatabase, buffer: seenBuffer }
}

/** Asks within a bound; never rejects. */
export async function asked<Seen>(
  withinMs: number,
  ask: (signal: AbortSignal, deadline: ReturnType<typeof openDeadline>) => Promise<Seen>,
): Promise<Asked<Seen>> {
  const deadline = openDeadline({ remainingMs: withinMs, reserveMs: 0 })
  const startedAt = performance.now()
  const ms = () => Math.round(performance.now() - startedAt)
  try {
    return { seen: await ask(deadline.signal, deadline), ms: ms() }
  } catch (error) {
    return { ms: ms(), code: error instanceof DeadlineExceededError ? 'no-answer-in-time' : codeOf(error), crowded: classifyError(error).crowded }
  } finally {
    deadline.clear()
  }
}
