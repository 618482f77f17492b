import { currentDeadline, runWithDeadline } from '../../../invocation/src/deadline-scope.ts'
import type { Deadline } from '../../../invocation/src/deadline.ts'
import { untilAborted } from '../../../invocation/src/wait.ts'
import { NestedOperationError } from '../errors/errors.ts'
import { endWork, hasIsolation, runWork, workOn, type IsolationLevel, type RunningWork, type Work, type WorkMode } from './work.ts'

export interface JoinOptions {
  mode: WorkMode
  isolation?: IsolationLevel | undefined
  deadline?: Deadline | undefined
  signal?: AbortSignal | undefined
  wasCommitted?: ((work: Work) => Promise<boolean>) | undefined
  durable?: boolean | undefined
}

/**
 * Runs work as part of the unit around it, in that one's transaction. With a deadline or a signal of its own it ends by
 * these as if it had thrown: what it has done stays until the unit decides, and what it leaves behind does nothing more.
 * @throws NestedOperationError when it asks for what that transaction does not have.
 */
export async function joinWork<Result>(around: RunningWork, body: (work: Work) => Promise<Result>, options: JoinOptions): Promise<Result> {
  throwIfRefused(around, options)
  const { deadline, signal, durable = false } = options
  around.commit.durable ||= durable
  const signals = [deadline?.signal, signal].filter(given => given !== undefined)
  if (signals.length === 0) return body(around.work)
  const own = AbortSignal.any([around.work.signal, ...signals])
  own.throwIfAborted()
  const work = workOn(around.host, around.connection, { signal: own, afterCommit: around.work.afterCommit })
  const running: RunningWork = { ...around, work, parent: around, children: [], state: 'running' }
  around.children.push(running)
  const run = () => runWork(running, () => body(work))
  // A later one than the unit's own gives no more time.
  const sooner = deadline !== undefined && deadline.at < (currentDeadline()?.at ?? Number.POSITIVE_INFINITY)
  try {
    const result = await untilAborted(sooner ? runWithDeadline(deadline, run) : run(), own)
    endWork(running, 'done')
    return result
  } catch (error) {
    endWork(running, 'failed')
    throw error
  }
}

function throwIfRefused(around: RunningWork, { mode, isolation, wasCommitted }: JoinOptions): void {
  if (mode === 'write' && around.mode !== 'write') throw new NestedOperationError('A write was asked for within a read.')
  const asked = mode === 'snapshot' ? 'REPEATABLE READ' : (isolation ?? 'READ COMMITTED')
  if (!hasIsolation(around.isolation, asked)) throw new NestedOperationError('More isolation was asked for than the transaction around this has.')
  // Whether this was committed is the outer operation's question, and its row may be gone again by then.
  if (wasCommitted !== undefined) throw new NestedOperationError('Only the outermost operation can be proven to be committed.')
}
