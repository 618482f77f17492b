import type { ProvenWay } from '../../../functions-runtime/src/api/proofs.ts'
import { defineCommand } from '../../../functions-devkit/src/cli/define-command.ts'
import { FAULTS, readFaults, type ProvenFault } from './faults.ts'
import { readSelection } from './points.ts'

export interface ProveOptions {
  readonly all: boolean
  readonly only: string | undefined
  readonly isSelected: (point: number) => boolean
  readonly faults: readonly ProvenFault[]
  readonly ways: readonly ProvenWay[]
  /** A file for the histories of all runs. */
  readonly history: string | undefined
  readonly json: boolean
}

const FLAG = { type: 'boolean', default: false } as const
const TEXT = { type: 'string' } as const
const WAYS: readonly ProvenWay[] = ['direct', 'pooler']

export const command = defineCommand({
  usage: `usage: npm run prove [-- --all] [--only OPERATION] [--points LIST] [--faults LIST] [--through WAY] [--history FILE] [--json]

  Cuts operations of this application off at every point of their connection to the database, repeats each call until it is
  acknowledged, and checks that it was applied once. lib/app/proofs.ts declares the operations.
  --all       the operations that take longer, too
  --only      this operation alone
  --points    these cut points alone, such as 5,17-20; they count from 1 for each operation and way
  --faults    these alone: ${FAULTS.join(', ')}
  --through   direct or pooler; both by default
  --history   write what happened in each run to this file, as JSON lines
  --json      print { "points", "runs", "problems", "parts", "failures" } instead of text

Exit status: 0 all is proven, 1 something is not, 2 wrong usage or nothing proven.`,
  options: { all: FLAG, only: TEXT, points: TEXT, faults: TEXT, through: TEXT, history: TEXT, json: FLAG },
  read: ({ values: { all, only, points, faults, through, history, json } }): ProveOptions => ({
    all,
    only,
    isSelected: points === undefined ? () => true : readSelection(points),
    faults: faults === undefined ? FAULTS : readFaults(faults),
    ways: through === undefined ? WAYS : [readWay(through)],
    history,
    json,
  }),
})

function readWay(text: string): ProvenWay {
  const found = WAYS.find(way => way === text)
  if (found === undefined) throw new Error(`--through takes ${WAYS.join(' or ')}, and not '${text}'`)
  return found
}
