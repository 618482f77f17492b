export { backoffMs, type BackoffOptions } from './backoff.ts'
export { noteCaller, withCaller } from './call-site.ts'
export { createCircuitBreaker, type Admission, type BreakerState, type CircuitBreaker, type CircuitBreakerOptions } from './circuit-breaker.ts'
export { currentDeadline, runWithDeadline } from './deadline-scope.ts'
export { openDeadline, type Deadline, type DeadlineOptions } from './deadline.ts'
export { CodedError, DeadlineExceededError, type CodedErrorOptions } from './errors.ts'
export {
  beforeInvocationEnds,
  holdForInvocation,
  noFacts,
  noteAttempt,
  noteCount,
  noteTrip,
  runInvocation,
  type InvocationFacts,
  type InvocationOptions,
} from './invocation-scope.ts'
export { createRetryBudget, type RetryBudget, type RetryBudgetOptions } from './retry-budget.ts'
export { MAX_REPLAYS, untilReplay, type RetryOptions } from './retry.ts'
export { untilAborted, wait } from './wait.ts'
