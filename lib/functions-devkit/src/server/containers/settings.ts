import { type PoolOptions } from './pool.ts'

type Environment = Readonly<Record<string, string | undefined>>

// As on the platform: calls of a namespace at a time, and how long an idle container runs on.
const CALLS_AT_ONCE = 120
const PAUSE_AFTER_MS = 50
// A laptop does not hold as many containers as the platform.
const CONTAINERS = 10
const DESTROY_AFTER_MS = 10 * 60_000
const LONGEST_MS = 24 * 60 * 60_000

/**
 * Reads how many containers each function has, and when an idle one is paused and destroyed.
 * @throws Error that names the variable.
 */
export function readContainerSettings(environment: Environment): PoolOptions {
  const { LOCAL_CONTAINERS, LOCAL_PAUSE_AFTER_MS, LOCAL_DESTROY_AFTER_MS } = environment
  return {
    max: numberOf({ LOCAL_CONTAINERS }, { otherwise: CONTAINERS, least: 1, most: CALLS_AT_ONCE }),
    maxCalls: CALLS_AT_ONCE,
    pauseAfterMs: numberOf({ LOCAL_PAUSE_AFTER_MS }, { otherwise: PAUSE_AFTER_MS, least: 0, most: LONGEST_MS }),
    destroyAfterMs: numberOf({ LOCAL_DESTROY_AFTER_MS }, { otherwise: DESTROY_AFTER_MS, least: 0, most: LONGEST_MS }),
  }
}

function numberOf(variable: Environment, { otherwise, least, most }: { otherwise: number; least: number; most: number }): number {
  const [[name, value] = []] = Object.entries(variable)
  const text = value?.trim() ?? ''
  if (text === '') return otherwise
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (number >= least && number <= most) return number
  throw new Error(`${name} has to be a whole number from ${least} to ${most}, not ${text}`)
}
