import { randomBytes } from 'node:crypto'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { runWithDeadline } from '../../../invocation/src/deadline-scope.ts'
import { runInvocation } from '../../../invocation/src/invocation-scope.ts'
import { type AddedFault } from '../proxy/faults.ts'
import { type Proxy } from '../proxy/proxy.ts'
import { type RecordCutter } from '../proxy/record-cutter.ts'
import { type PgBouncer } from '../pgbouncer.ts'
import { observe, type Call } from './call.ts'
import { type ChaosDatabase } from './chaos-database.ts'
import { type Subject } from './subject.ts'
import { type Through, type Way } from './way.ts'
import { perform, type Kind, type PerformOptions, type Service } from './workloads.ts'

/** One run of one cell, as its row sees it. */
export interface Repetition extends Subject {
  kind: Kind
  variant: string
  through: Through
  database: ChaosDatabase
  proxy: Proxy
  /** In front of the proxy, for a row that cuts records. */
  cutter: RecordCutter | undefined
  /** What lies behind the proxy: the server, or the pooler in front of it. */
  target: Way['target']
  /** What lies behind the proxy when that is a pooler. */
  pooler: PgBouncer | undefined
  /** The subject's variables. */
  environment: Record<string, string>
  /** Of the subject's sessions, and of nobody else's. */
  applicationName: string
  /** Performs one operation and takes note of what becomes of it; never rejects. */
  call(options?: CallOptions): Promise<Call>
  /** Takes note of a call that was made in another way. */
  record(call: Call): void
  /** Takes note of a duration, which is printed below the table. */
  figure(name: string, ms: number): void
  /** Takes note of something else that is not as it should be. */
  find(what: string): void
}

export interface CallOptions extends Omit<PerformOptions, 'deadline'> {
  /** Default: the kind of the cell. */
  kind?: Kind
  sleepMs?: number
  /** Default: a new name. */
  operation?: string
  /** See `Order`. */
  claimed?: boolean
  /** See `Call`. */
  mayBeGone?: boolean
}

export interface RepetitionOptions extends Omit<Repetition, 'call' | 'record'> {
  deadlineMs: number
  /** Takes the place of the subject's service. */
  substitute?: Service | undefined
  onCall: (call: Call) => void
}

/** Waits until a call meets its fault. Resolves to `false` when the call fails before that, so that it never will. */
export async function meets(calling: Promise<Call>, fault: AddedFault): Promise<boolean> {
  const ended = calling.then(({ outcome }) => (outcome.kind === 'ok' ? fault.firstFired : undefined))
  await Promise.race([fault.firstFired, ended])
  return fault.fired() > 0
}

/** With these options a call ends by a COMMIT of its own: a read otherwise has none. */
export function withCommit(kind: Kind): CallOptions {
  return kind === 'read' ? { snapshot: true } : {}
}

/** A name for an operation that no other has. */
export function operationName(): string {
  return `op_${randomBytes(6).toString('hex')}`
}

/** Puts together what a row's scenario works with. */
export function createRepetition({ deadlineMs, substitute, onCall, ...parts }: RepetitionOptions): Repetition {
  const service: Service = substitute ?? parts.service
  return {
    ...parts,
    record: onCall,
    async call({ kind = parts.kind, sleepMs = 0, operation = operationName(), claimed = false, mayBeGone = false, ...options } = {}) {
      const order = { kind, operation, sleepMs, claimed }
      const deadline = openDeadline({ remainingMs: deadlineMs, reserveMs: 0 })
      // As the edge of a function does it, only that nothing cuts a call that does not end.
      const invocation = () => runInvocation(() => runWithDeadline(deadline, () => perform(service, order, options)))
      const call = { ...(await observe(order, deadlineMs, invocation)), mayBeGone }
      deadline.clear()
      onCall(call)
      return call
    },
  }
}
