import { defineCommand } from '../../../lib/functions-devkit/src/cli/define-command.ts'

/** What the bench is asked for, from the environment. */
export interface BenchOptions {
  containers: number
  waves: number
  /** How long the calls of the overload take, each for a wave of its own. */
  callMs: readonly number[]
  pauseMs: number
  /** The platform's time limit of a call. */
  deadlineMs: number
}

/** Reads `CONTAINERS`, `WAVES`, `CALL_MS` (several, apart by commas), `PAUSE_MS` and `DEADLINE_MS`. Throws for what is no whole number. */
export function readOptions(environment: Readonly<Record<string, string | undefined>>): BenchOptions {
  const number = (name: string, text: string) => {
    if (!/^[1-9]\d{0,5}$/.test(text)) throw new Error(`${name} is to be a whole number from 1 on: ${text}`)
    return Number(text)
  }
  return {
    containers: number('CONTAINERS', environment.CONTAINERS ?? '60'),
    waves: number('WAVES', environment.WAVES ?? '3'),
    // The first can all be served within their deadline; of the second there are more than the server has time for.
    callMs: (environment.CALL_MS ?? '200,3000').split(',').map(text => number('CALL_MS', text.trim())),
    pauseMs: number('PAUSE_MS', environment.PAUSE_MS ?? '1000'),
    deadlineMs: number('DEADLINE_MS', environment.DEADLINE_MS ?? '10000'),
  }
}

export const command = defineCommand({
  usage: `usage: [NAME=value …] npm run bench:fleet

  Builds the functions, and calls a fleet of containers on a server that takes 22 connections, beside two rivals.
  CONTAINERS    how many containers there are (60)
  WAVES         how often all of them are called (3)
  CALL_MS       how long the calls of the overload take, several apart by commas (200,3000)
  PAUSE_MS      how long containers are paused between waves (1000)
  DEADLINE_MS   the time limit of a call (10000)`,
  read: () => readOptions(process.env),
})
