import { type Call } from './call.ts'
import { partsOf, SEED } from './workloads.ts'

/** The rows that one operation has left. */
export interface Rows {
  /** How often each part of its effect is there. */
  parts: ReadonlyMap<number, number>
  logs: number
}

/** What the rows say of what a caller was told. */
export interface Verdict {
  lost: boolean
  twice: boolean
}

/**
 * Compares what a caller was told with the rows that are there.
 *
 * ok: every part is there once, and the log line once if it was reported written, else not at all. A read has found its
 * row. Less is `lost`, more is `twice`.
 *
 * `commit-unknown`: everything is there once, or nothing is; half of it is `lost`.
 *
 * Every other error says that nothing was applied: a row that is there all the same is `twice`, because whoever was
 * told so does it again. A call that never ended has been told nothing; only a row too many counts.
 *
 * A claimed order may have been given to another container as well: the rows can be that one's, whatever this one says.
 */
export function judge({ order, outcome }: Call, { parts, logs }: Rows): Verdict {
  const wanted = partsOf(order.kind)
  const all = wanted.every(part => (parts.get(part) ?? 0) >= 1)
  const nothing = parts.size === 0 && logs === 0
  const tooMany = [...parts].some(([part, count]) => count > 1 || !wanted.includes(part)) || logs > 1
  switch (outcome.kind) {
    case 'ok': {
      if (order.kind === 'read') return { lost: outcome.result.value !== SEED, twice: !nothing }
      if (outcome.result.duplicate === true) return { lost: !all, twice: tooMany }
      const told = outcome.result.logged === true ? 1 : 0
      return { lost: !all || logs < told, twice: tooMany || logs > told }
    }
    case 'error':
      if (outcome.code !== 'commit-unknown' && order.claimed !== true) return { lost: false, twice: !nothing }
      return { lost: !all && !nothing, twice: tooMany }
    case 'none':
      return { lost: false, twice: tooMany }
    default:
      return outcome satisfies never
  }
}
