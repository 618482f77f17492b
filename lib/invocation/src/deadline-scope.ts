import { AsyncLocalStorage } from 'node:async_hooks'
import type { Deadline } from './deadline.ts'

const scope = new AsyncLocalStorage<Deadline>()

/** Runs `work` so that everything it calls finds the invocation's deadline without being handed it. */
export function runWithDeadline<Result>(deadline: Deadline, work: () => Result): Result {
  return scope.run(deadline, work)
}

/** The deadline of the invocation that is running, if there is one. */
export function currentDeadline(): Deadline | undefined {
  return scope.getStore()
}
