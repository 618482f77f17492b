export { CodedError, DeadlineExceededError } from '../../invocation/src/errors.ts'
export { ResilientSequelize } from './class.ts'
export { classifyError, errorCode, violatedUniqueConstraint, type Classification } from './errors/classify-error.ts'
export {
  CommitUnknownError,
  DatabaseBusyError,
  DatabaseUnavailableError,
  NestedOperationError,
  ResultLostError,
  ShutDownError,
  TransactionRolledBackError,
  UnsupportedServerError,
} from './errors/errors.ts'
export { migrate, type MigrateOptions, type MigrateResult } from './migrate/migrate.ts'
export type { Migration } from './migrate/migration.ts'
export type { ExecuteOptions } from './operation/executor.ts'
export type { SafeExecuteOptions } from './operation/safe-execute.ts'
export type { Work } from './operation/work.ts'
export type { ResilienceOptions, ResilientOptions } from './options.ts'
export type { EarlyConnection } from './pool/early-connection.ts'
export type { ConnectionStatus } from './pool/manager.ts'
export { makeResilient, type Resilience, type ResilientClass } from './resilient-sequelize.ts'
export type { Counter, Logger } from './telemetry.ts'
export { openDeadline, type Deadline } from '../../invocation/src/deadline.ts'
export { runWithDeadline } from '../../invocation/src/deadline-scope.ts'
export { runInvocation } from '../../invocation/src/invocation-scope.ts'
