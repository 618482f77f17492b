export { CodedError, DeadlineExceededError } from '../../invocation/src/errors.ts'
export type { Deadline } from '../../invocation/src/deadline.ts'
export { prepareDatabase, type Database } from './database/connect.ts'
export { modelsOf, statementTables, type DeclaredTables, type ModelsOf, type StatementTables } from './database/declared-tables.ts'
export { defineTable, type DefinedTable, type SequelizeTools, type TableDefinition, type TableOptions } from './database/define-table.ts'
export type { ApplicationModels, DefineModels } from './database/models.ts'
export type { PruningRule, Retention, RetentionRule } from './database/retention.ts'
export { DatabaseService, type ExecuteOptions, type Work } from './database/service.ts'
export { databaseSettings, migrationSettings, type DatabaseSettings } from './database/settings.ts'
export { joined, sql, table, tablesNamed, type Statement } from './database/sql.ts'
export type { Deployment, Limits, Schedule } from './edge/deployment.ts'
export { defineFunction, type FunctionDefinition, type Invocation, type Main } from './edge/define.ts'
export {
  ApplicationError,
  BadRequestError,
  ConflictError,
  ContentError,
  ForbiddenError,
  NotFoundError,
  UnauthorizedError,
} from './edge/http-errors.ts'
export { json, problem, type Reply } from './edge/reply.ts'
export { migrations } from './migrations/index.ts'
export { inTurn } from './schedules/in-turn.ts'
export { integer, oneOf, optionalInteger, optionalText, requiredText, textOr } from './settings/schemas.ts'
export { defineSettings, readSettings, setting, SettingIssues, SettingsError, type SettingsGroup } from './settings/settings.ts'
export { createCounters, type Count, type CounterDescription, type Counters } from './telemetry/counters.ts'
export { createLogger, type Logger } from './telemetry/logger.ts'
export { poolCounters } from './telemetry/pool-counters.ts'
