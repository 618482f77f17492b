import { GRACE_MS, type Call } from './call.ts'
import { judge, type Rows } from './ledger.ts'

/** What the calls of one cell came to. */
export interface Tally {
  calls: number
  ok: number
  /** How often each code was given. */
  errors: Map<string, number>
  /** Errors without a code of ours. */
  uncoded: number
  lost: number
  /** Confirmed, and taken away by the fault afterwards: no client can prevent that. */
  gone: number
  twice: number
  hung: number
  connections: number
  backendsLeft: number
  slowestMs: number
  /** One line for each thing that is not as it should be. */
  findings: string[]
  /** Durations of the cell's own in ms, such as how soon a lock was free. */
  figures: Map<string, number[]>
}

export function emptyTally(): Tally {
  return {
    calls: 0,
    ok: 0,
    errors: new Map(),
    uncoded: 0,
    lost: 0,
    gone: 0,
    twice: 0,
    hung: 0,
    connections: 0,
    backendsLeft: 0,
    slowestMs: 0,
    findings: [],
    figures: new Map(),
  }
}

/** Adds what one call was told and the rows that it left; any error but those with `codes` is a finding. */
export function addCall(tally: Tally, { variant, codes }: { variant: string; codes: readonly string[] }, call: Call, rows: Rows): void {
  const { outcome, lateMs, ms } = call
  tally.calls += 1
  tally.slowestMs = Math.max(tally.slowestMs, ms)
  if (outcome.kind === 'ok') tally.ok += 1
  if (outcome.kind === 'error') {
    tally.errors.set(outcome.code, (tally.errors.get(outcome.code) ?? 0) + 1)
    if (!outcome.coded) tally.uncoded += 1
  }
  const hung = lateMs > GRACE_MS
  const verdict = judge(call, rows)
  const { twice } = verdict
  const gone = verdict.lost && call.mayBeGone === true && outcome.kind === 'ok' && rows.parts.size === 0 && rows.logs === 0
  const lost = verdict.lost && !gone
  if (gone) tally.gone += 1
  if (lost) tally.lost += 1
  if (twice) tally.twice += 1
  if (hung) tally.hung += 1
  const unexpected = outcome.kind === 'error' && !codes.includes(outcome.code)
  if (!lost && !twice && !hung && !unexpected) return
  const what = Object.entries({ lost, twice, hung, unexpected }).flatMap(([name, found]) => (found ? [name] : []))
  const told =
    outcome.kind === 'ok' ? `ok ${JSON.stringify(outcome.result)}` : outcome.kind === 'error' ? `${outcome.code} (${outcome.because})` : 'nothing'
  const there = `parts ${JSON.stringify([...rows.parts])}, logs ${rows.logs}`
  tally.findings.push(`${what.join(', ')}: ${variant}, ${call.order.operation} was told ${told} after ${Math.round(ms)} ms; ${there}`)
}

/** Adds a duration to those of the same name. */
export function addFigure(tally: Tally, name: string, ms: number): void {
  tally.figures.set(name, [...(tally.figures.get(name) ?? []), ms])
}
