import { type WatchEvent } from './events.ts'
import { type FunctionBuilds, type Outcome } from './function-build.ts'

export interface RoundsOptions {
  readonly builds: FunctionBuilds
  readonly tell: (event: WatchEvent) => void
  readonly warn: (text: string) => void
}

export interface Rounds {
  /** Rebuilds every function that consists of one of the paths, and those that failed last. */
  run(changed: ReadonlySet<string>): Promise<void>
  /** Rebuilds all, and tells when nothing is new. */
  runAll(): Promise<void>
  /** Whether the last build of a function failed. */
  anyFailed(): boolean
}

/** Rebuilds functions in rounds, one at a time, and tells of each round once: what is rebuilt, and each mistake when it is new. */
export function createRounds({ builds, tell, warn }: RoundsOptions): Rounds {
  const failures = new Map<string, string>()
  const warned = new Map<string, string>()
  let turn: Promise<unknown> = Promise.resolve()

  async function rebuild(chosen: readonly string[]): Promise<void> {
    const startedAt = performance.now()
    const isAsked = chosen === builds.names
    const done = [...(await builds.rebuild(chosen))]
    const rebuilt = done.filter(([name, { outcome }]) => outcome === 'new' || (outcome === 'same' && failures.has(name))).map(([name]) => name)
    const failed = new Map<string, string[]>()
    for (const [name, outcome] of done) {
      warnOf(name, outcome)
      if (outcome.outcome !== 'failed') failures.delete(name)
      else if (isAsked || failures.get(name) !== outcome.text) {
        failures.set(name, outcome.text)
        failed.set(outcome.text, [...(failed.get(outcome.text) ?? []), name])
      }
    }
    if (rebuilt.length > 0) tell({ event: 'rebuilt', functions: rebuilt, ms: Math.round(performance.now() - startedAt) })
    for (const [text, functions] of failed) tell({ event: 'failed', functions, text })
    if (rebuilt.length === 0 && failures.size === 0 && isAsked) tell({ event: 'unchanged' })
  }

  function warnOf(name: string, outcome: Outcome): void {
    const text = outcome.outcome === 'failed' ? '' : outcome.warnings
    if (text !== '' && ![...warned.values()].includes(text)) warn(text)
    warned.set(name, text)
  }

  // One that has failed may wait for a file that is in no list yet.
  async function inTurn(choose: () => readonly string[]): Promise<void> {
    const run = turn.then(async () => {
      const chosen = choose()
      if (chosen.length > 0) await rebuild(chosen)
    })
    turn = run.catch(() => undefined)
    await run
  }

  return {
    run: changed => inTurn(() => builds.names.filter(name => failures.has(name) || [...builds.inputs(name)].some(path => changed.has(path)))),
    runAll: () => inTurn(() => builds.names),
    anyFailed: () => failures.size > 0,
  }
}
