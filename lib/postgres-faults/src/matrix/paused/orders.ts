import { type Order } from '../workloads.ts'

/** How a handler overruns its time: with its transaction idle, or in a statement, which may even have lifted its limit. */
export const overruns = ['idle in transaction', 'in a statement', 'in a statement without a limit'] as const
export type Overrun = (typeof overruns)[number]

/** What a container is asked to do. */
export interface ContainerOrder extends Order {
  /** With the row of `contended` that the handler locks first, unless it only reads. */
  overrun?: { how: Overrun; lock: number }
}

/** What the parent tells the container's process. */
export type Told =
  | { tell: 'open'; name: string; environment: Record<string, string> }
  | { tell: 'call'; order: ContainerOrder; remainingMs: number; stopAfterwards: boolean }
  /** Puts the manager's clock forward. */
  | { tell: 'advance'; ms: number }
  | { tell: 'close' }

/** What it says: each thing that it was told is answered once, in order. */
export type Said = { said: 'ready' } | { said: 'done' } | { said: 'answer'; answer: Record<string, unknown> } | { said: 'failed'; why: string }
