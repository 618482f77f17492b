import { asynchronousCommit } from './rows/asynchronous.ts'
import { failsInBatch } from './rows/batch.ts'
import { closed } from './rows/closed.ts'
import { commitAnswerLost, commitNeverArrives } from './rows/commit.ts'
import { conflict } from './rows/conflict.ts'
import { idUsedAgain } from './rows/crash.ts'
import { crowded } from './rows/crowded.ts'
import { frozenInRequest } from './rows/frozen.ts'
import { fullPooler } from './rows/full-pooler.ts'
import { logLost, standbyBehind } from './rows/failover.ts'
import { hangsUp } from './rows/hang-up.ts'
import { endedWhileIdle, silentWhileIdle } from './rows/idle.ts'
import { endedWhilePaused, overrun } from './rows/paused.ts'
import { poolerRestarted } from './rows/pooler-restart.ts'
import { readOnlyForAWhile } from './rows/read-only.ts'
import { refusedForAWhile } from './rows/refused.ts'
import { restartedUnderLoad } from './rows/restart.ts'
import { otherSettings } from './rows/settings.ts'
import { silentMidStatement, terminatedMidStatement } from './rows/statement.ts'
import { swallowedError } from './rows/swallowed.ts'
import { cutInsideRecord } from './rows/tls-record.ts'
import { type Row } from './row.ts'
import { type Kind } from './workloads.ts'

/** Every fault of the matrix. */
export const faults: readonly Row[] = [
  endedWhileIdle,
  endedWhilePaused,
  terminatedMidStatement,
  commitNeverArrives,
  commitAnswerLost,
  idUsedAgain,
  restartedUnderLoad,
  refusedForAWhile,
  silentWhileIdle,
  silentMidStatement,
  closed,
  crowded,
  fullPooler,
  overrun,
  readOnlyForAWhile,
  conflict,
  swallowedError,
  standbyBehind,
  logLost,
  hangsUp,
  otherSettings,
  asynchronousCommit,
  failsInBatch,
  cutInsideRecord,
  poolerRestarted,
  frozenInRequest,
]

/**
 * For the README: what a caller may be told beside success. It is what the matrix holds every call to, directly and
 * through PgBouncer; anything else fails it.
 */
export function faultTable(): string {
  const lines = faults.map(row => `| ${row.fault} | ${told(row, ['read'])} | ${told(row, ['write', 'transaction', 'logged'])} |`)
  return ['| fault | a read may be told | a write may be told |', '| --- | --- | --- |', ...lines].join('\n')
}

function told(row: Row, kinds: readonly Kind[]): string {
  const ways = ['direct', 'pooler'] as const
  const codes = kinds.flatMap(kind => ways.flatMap(through => row.variants.flatMap(variant => codesOf(row, { kind, variant, through }))))
  return [...new Set(codes)].map(code => `\`${code}\``).join(', ') || 'nothing: it succeeds'
}

function codesOf({ codes = [] }: Row, cell: Parameters<Extract<Row['codes'], (...given: never[]) => unknown>>[0]): readonly string[] {
  return typeof codes === 'function' ? codes(cell) : codes
}
