import { randomInt } from 'node:crypto'

/** What was given cannot be played; the message says why. */
export class UnplayableError extends Error {
  override readonly name = 'UnplayableError'
}

/** What is asked for of seeds, or of one schedule. */
export interface SeedsAsked {
  readonly seed: number
  readonly minutes: number
  /** A file with a schedule, which is played in place of those of the seed. */
  readonly schedule: string | undefined
  /** Another version of the functions: a folder, or what Git calls it. */
  readonly other: string | undefined
}

const MOST_SEED = 2 ** 31 - 1
const MINUTES = 5
const LEAST_MINUTES = 0.1
const MOST_MINUTES = 240

/**
 * Reads the options of seeds. Returns undefined when none of them is given.
 * @throws Error that says which one is wrong
 */
export function readSeedOptions(
  given: Readonly<Partial<Record<'seed' | 'minutes' | 'schedule' | 'other', string | undefined>>>,
): SeedsAsked | undefined {
  const { seed, minutes, schedule, other } = given
  if (seed === undefined && minutes === undefined && schedule === undefined) {
    if (other !== undefined) throw new Error('--other is for seeds: add --seed or --minutes')
    return undefined
  }
  if (schedule !== undefined && (seed !== undefined || minutes !== undefined))
    throw new Error('--schedule plays one schedule, without --seed and --minutes')
  return {
    seed: seed === undefined ? randomInt(MOST_SEED) : numberIn('--seed', seed, { least: 0, most: MOST_SEED, whole: true }),
    minutes: minutes === undefined ? MINUTES : numberIn('--minutes', minutes, { least: LEAST_MINUTES, most: MOST_MINUTES }),
    schedule,
    other,
  }
}

function numberIn(name: string, text: string, { least, most, whole = false }: { least: number; most: number; whole?: boolean }): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value
  throw new Error(`${name} takes a${whole ? ' whole' : ''} number from ${least} to ${most}, and not '${text}'`)
}
