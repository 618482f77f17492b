import { defineCommand } from '../../../lib/functions-devkit/src/cli/define-command.ts'

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

export const command = defineCommand({
  usage: `usage: npm run bench [-- --json] [--rounds=15] [--calls=2000] [--runs=5] [--faults=100]

  Measures the functions beside four other ways, on a PostgreSQL of its own.
  --json     print JSON instead of tables
  --rounds   cold starts of each way
  --calls    warm calls of each way in each run; with a delay a fifth of them
  --runs     runs of warm calls
  --faults   dead connections of each kind`,
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '15' },
    calls: { type: 'string', default: '2000' },
    runs: { type: 'string', default: '5' },
    faults: { type: 'string', default: '100' },
  },
  read({ values }): BenchOptions {
    const number = (name: 'rounds' | 'calls' | 'runs' | 'faults') => {
      if (!/^[1-9]\d{0,5}$/.test(values[name])) throw new Error(`--${name} is to be a whole number from 1 on`)
      return Number(values[name])
    }
    return { json: values.json, rounds: number('rounds'), calls: number('calls'), runs: number('runs'), faults: number('faults') }
  },
})
