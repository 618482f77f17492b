/** What ends `npm start`: a terminal that is closed as well. */
const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

// At Ctrl-C the terminal signals npm and us, and npm passes its signal on to us: that is one wish, not two.
const NPM_ECHO_MS = 250

export interface SignalOptions {
  /** Ends in order; the first signal. */
  readonly stop: (signal: NodeJS.Signals) => void
  /** Ends by force; any signal after that. */
  readonly atOnce: (signal: NodeJS.Signals) => void
  /** Whether npm started this process. */
  readonly underNpm: boolean
  readonly signals?: readonly NodeJS.Signals[]
  readonly source?: { on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown }
  readonly now?: () => number
}

/** Tells the first signal to end from the later ones. */
export function onSignals({ stop, atOnce, underNpm, signals = SIGNALS, source = process, now = Date.now }: SignalOptions): void {
  let first: { readonly signal: NodeJS.Signals; readonly at: number } | undefined
  const take = (signal: NodeJS.Signals) => {
    if (first === undefined) {
      first = { signal, at: now() }
      return stop(signal)
    }
    if (underNpm && signal === first.signal && now() - first.at < NPM_ECHO_MS) return
    atOnce(signal)
  }
  for (const signal of signals) source.on(signal, take)
}
