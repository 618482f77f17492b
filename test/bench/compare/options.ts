import { parseArgs } from 'node:util'

export interface BenchOptions {
  readonly json: boolean
  /** Cold starts of each way. */
  readonly rounds: number
  /** Warm calls of each way in each run without delay; with a delay a fifth of them. */
  readonly calls: number
  readonly runs: number
  /** Dead connections of each kind. */
  readonly faults: number
}

export const USAGE = 'usage: npm run bench [-- --json] [--rounds=15] [--calls=2000] [--runs=5] [--faults=100]'

/** @throws TypeError for an option that there is not, Error for what is no whole number. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '15' },
      calls: { type: 'string', default: '2000' },
      runs: { type: 'string', default: '5' },
      faults: { type: 'string', default: '100' },
    },
  })
  const number = (name: 'rounds' | 'calls' | 'runs' | 'faults') => {
    if (!/^[1-9]\d{0,5}$/.test(values[name])) throw new Error(`--${name} is to be a whole number from 1 on`)
    return Number(values[name])
  }
  return { json: values.json, rounds: number('rounds'), calls: number('calls'), runs: number('runs'), faults: number('faults') }
}
