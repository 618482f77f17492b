import type { ProvenWay } from '../../../functions-runtime/src/api/proofs.ts'
import { defineCommand } from '../../../functions-devkit/src/cli/define-command.ts'
import { FAULTS, readFaults, type ProvenFault } from './faults.ts'
import { readSelection } from './points.ts'
import { readSeedOptions, type SeedsAsked } from './seeds/seed-options.ts'

export interface ProveOptions {
  readonly all: boolean
  readonly only: string | undefined
  readonly isSelected: (point: number) => boolean
  readonly faults: readonly ProvenFault[]
  readonly ways: readonly ProvenWay[]
  /** A file for the histories of all runs. */
  readonly history: string | undefined
  readonly json: boolean
  /** Schedules of seeds in place of cut points. */
  readonly seeds: SeedsAsked | undefined
}

const FLAG = { type: 'boolean', default: false } as const
const TEXT = { type: 'string' } as const
const WAYS: readonly ProvenWay[] = ['direct', 'pooler']

export const command = defineCommand({
  usage: `usage: npm run prove [-- --all] [--only OPERATION] [--points LIST] [--faults LIST] [--through WAY] [--history FILE] [--json]
       npm run prove -- [--seed NUMBER] [--minutes NUMBER] [--schedule FILE] [--other VERSION] [--history FILE] [--json]

  Cuts operations of this application off at every point of their connection to the database, repeats each call until it is
  acknowledged, and checks that it was applied once. lib/app/proofs.ts declares the operations.
  --all       the operations that take longer, too
  --only      this operation alone
  --points    these cut points alone, such as 5,17-20; they count from 1 for each operation and way
  --faults    these alone: ${FAULTS.join(', ')}
  --through   direct or pooler; both by default
  --history   write what happened in each run to this file, as JSON lines
  --seed      play schedules instead that are drawn from this number: requests, faults, pauses, restarts, all at once
  --minutes   play schedules for so long, 5 by default; without --seed from a fresh one, which is printed
  --other     have containers of another version beside those of this one: a folder, or what Git calls it
  --schedule  play the schedule of this file, as a failure of a seed prints it
  --json      print { "points", "runs", "problems", "parts", "failures" } instead of text

Exit status: 0 all is proven, 1 something is not, 2 wrong usage or nothing proven.`,
  options: {
    all: FLAG,
    only: TEXT,
    points: TEXT,
    faults: TEXT,
    through: TEXT,
    history: TEXT,
    json: FLAG,
    seed: TEXT,
    minutes: TEXT,
    schedule: TEXT,
    other: TEXT,
  },
  read: ({ values: { all, only, points, faults, through, history, json, ...seeds } }): ProveOptions => ({
    all,
    only,
    isSelected: points === undefined ? () => true : readSelection(points),
    faults: faults === undefined ? FAULTS : readFaults(faults),
    ways: through === undefined ? WAYS : [readWay(through)],
    history,
    json,
    seeds: readSeedOptions(seeds),
  }),
})

function readWay(text: string): ProvenWay {
  const found = WAYS.find(way => way === text)
  if (found === undefined) throw new Error(`--through takes ${WAYS.join(' or ')}, and not '${text}'`)
  return found
}
