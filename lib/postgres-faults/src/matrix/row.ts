import { type Ground } from './ground.ts'
import { type Repetition } from './repetition.ts'
import { type Service } from './workloads.ts'

/** One fault of the matrix, and what may become of an operation that meets it. */
export interface Row {
  number: number
  /** What happens, in the words of the table. */
  fault: string
  /** The fault's forms: repetitions take them in turn. */
  variants: readonly string[]
  /** Codes that callers may be given; none unless told. */
  codes?: readonly string[] | ((repetition: Pick<Repetition, 'kind' | 'variant' | 'through'>) => readonly string[])
  /** Default 3000. */
  deadlineMs?: number
  /** Takes seconds or a server of its own: runs 20 times where others run 100. */
  slow?: boolean
  /** Connections of the pool; default 1. */
  poolMax?: number
  /** Where it takes place; default: the server of the test run. */
  ground?: Ground
  /** Settings of the pooler, where there is one, on top of the usual. */
  pooler?: (variant: string) => Readonly<Record<string, string>>
  /** Whether a record cutter stands in front of the proxy. */
  cutsRecords?: boolean
  /** Stands in for the service, to prove that the tally sees what is wrong. */
  substitute?: (repetition: Pick<Repetition, 'service' | 'manager'>) => Service
  scenario(repetition: Repetition): Promise<void>
}
