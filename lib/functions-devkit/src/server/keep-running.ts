import { inWords } from './report.ts'
import { type Resource } from './shutdown.ts'

/** A server of ours that runs, and that can be started again in the same place. */
export interface Restartable extends Resource {
  hasEnded(): boolean
  start(): Promise<void>
  kill(): void
}

export interface KeepRunningOptions {
  /** Of the server, in a line for the terminal. */
  readonly name: string
  readonly port: number
  readonly report: (line: string) => void
  readonly everyMs?: number
  readonly now?: () => number
}

const EVERY_MS = 1_000
/** A server that lives no longer than this was not started well. */
const SHORT_LIFE_MS = 10_000
/** Further starts of a server that ends by itself bring nothing but lines. */
const MOST_SHORT_LIVES = 5
const TO_DO = 'Press Ctrl-C and run npm start again; the data stays'

/**
 * Starts a server again that has ended, and reports that in one line. One that does not start again, or ends again and again, is
 * given up, with a line that says what to do. Returns the server with this watch: it ends with the server.
 */
export function keepRunning(server: Restartable, { name, port, report, everyMs = EVERY_MS, now = Date.now }: KeepRunningOptions): Resource {
  let startedAt = now()
  let shortLives = 0
  let restarting: Promise<void> | undefined
  const timer = setInterval(look, everyMs)
  timer.unref()

  function look(): void {
    if (restarting !== undefined || !server.hasEnded()) return
    restarting = restart().finally(() => (restarting = undefined))
  }

  async function restart(): Promise<void> {
    shortLives = now() - startedAt < SHORT_LIFE_MS ? shortLives + 1 : 0
    if (shortLives > MOST_SHORT_LIVES) return giveUp(`${name} ended ${shortLives} times within ${SHORT_LIFE_MS / 1_000} s of its start.`)
    report(`${name} has ended: it is started again on port ${port}`)
    try {
      await server.start()
      startedAt = now()
    } catch (error) {
      giveUp(`${name} does not start again: ${inWords(error)}.`)
    }
  }

  function giveUp(reason: string): void {
    clearInterval(timer)
    report(`${reason} ${TO_DO}`)
  }

  return {
    async end() {
      clearInterval(timer)
      // What it is just starting must end as well.
      await restarting
      await server.end()
    },
    kill() {
      clearInterval(timer)
      server.kill()
    },
  }
}
