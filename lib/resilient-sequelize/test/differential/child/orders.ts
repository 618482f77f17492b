import type { Address, Outcome } from '../case.ts'

/** Which Sequelize a process runs the cases on. */
export interface SubjectOrder {
  readonly kind: 'stock' | 'ours'
  readonly profile?: 'function' | 'server' | undefined
  /** A bundle to take the classes from, instead of the sources. */
  readonly bundle?: string | undefined
  /** Where the subject connects to: the server, or the pooler in front of it. */
  readonly address: Address
  readonly server: Address
  readonly closedPort: number
}

export interface CaseOrder {
  readonly id: number
  readonly group: string
  readonly title: string
  /** A fault to put into the subject on purpose; see `faults.ts`. */
  readonly fault?: string | undefined
}

export interface CaseAnswer {
  readonly id: number
  readonly outcome: Outcome
}
