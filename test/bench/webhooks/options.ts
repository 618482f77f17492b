import { defineCommand } from '../../../lib/functions-devkit/src/cli/define-command.ts'

export interface BenchOptions {
  /** How many containers there are, one measurement for each. */
  readonly sizes: readonly number[]
  /** Each way, one measurement for each. */
  readonly delaysMs: readonly number[]
  /** Events before each measurement, for all containers together. */
  readonly warmUpEvents: number
  readonly measuredMs: number
  /** Ours and the rival by turns: whatever else the machine does meets both. */
  readonly rounds: number
  /** `DB_CROWDED_AT` of our function. */
  readonly crowdedAt: string
}

export const command = defineCommand({
  usage: `usage: [NAME=value …] npm run bench:webhooks

  Builds the functions, and counts the events per second of containers beside a handler that is written by hand on bare pg.
  CONTAINERS       how many containers there are, several apart by commas (1,20)
  DELAYS_MS        delays each way to the database, several apart by commas (0,5)
  WARM_UP_EVENTS   events before each measurement (500)
  MEASURED_MS      how long a measurement takes (4000)
  ROUNDS           measurements of each, of which the median counts (3)
  DB_CROWDED_AT    the setting of our function (0)`,
  read: (): BenchOptions => ({
    sizes: numbers('CONTAINERS', '1,20', 1),
    delaysMs: numbers('DELAYS_MS', '0,5', 0),
    warmUpEvents: number('WARM_UP_EVENTS', '500', 0),
    measuredMs: number('MEASURED_MS', '4000', 1),
    rounds: number('ROUNDS', '3', 1),
    crowdedAt: process.env.DB_CROWDED_AT ?? '0',
  }),
})

function numbers(name: string, byDefault: string, least: number): number[] {
  const text = process.env[name] ?? byDefault
  const found = text.split(',').map(one => (/^\d{1,6}$/.test(one.trim()) ? Number(one) : Number.NaN))
  if (!found.every(one => one >= least)) throw new Error(`${name} is to be whole numbers from ${least} on, apart by commas: ${text}`)
  return found
}

function number(name: string, byDefault: string, least: number): number {
  const [one, ...more] = numbers(name, byDefault, least)
  if (one === undefined || more.length > 0) throw new Error(`${name} is to be one whole number`)
  return one
}
