export { CodedError, DeadlineExceededError } from '../../invocation/src/errors.ts'
export type { Deadline } from '../../invocation/src/deadline.ts'
export { createClaim, requestInProgress, requireSameRequest, rowIdOf, type Claim } from './api/claim.ts'
export type { ContractDefaults, ContractDefinition } from './api/contract.ts'
export { createRowOnce, type RowToCreate } from './api/create-row-once.ts'
export { createDefineApi, type ApiDefaults, type ApiDefinition, type ApiMain, type SetupTools } from './api/define-api.ts'
export { findPage, type PageToFind } from './api/find-page.ts'
export type { Operation, RoutedOperation } from './api/operation.ts'
export type { Origin } from './api/origin.ts'
export { pageReply } from './api/page-reply.ts'
export type { ApiRequest, DefinedOperation, DefineOperation } from './api/request.ts'
export type { ApiServices, RequestFacts, RequestTools } from './api/serve.ts'
export { instantSchema, shownInstantSchema } from './content/instant.ts'
export { BEHIND_PLACE, bindPlace, PLACE, pageOf, pageQuery, pageSchema, readCursor, writeCursor, type Page, type Place } from './content/page.ts'
export { externalIdSchema, storableText } from './content/storable-text.ts'
export { prepareDatabase, type Database } from './database/connect.ts'
export { modelsOf, statementTables, type DeclaredTables, type ModelsOf, type StatementTables } from './database/declared-tables.ts'
export { defineTable, type DefinedTable, type SequelizeTools, type TableDefinition, type TableOptions } from './database/define-table.ts'
export type { ApplicationModels, DefineModels } from './database/models.ts'
export type { PruningRule, Retention, RetentionRule } from './database/retention.ts'
export { DatabaseService, type ExecuteOptions, type Work } from './database/service.ts'
export { databaseSettings, migrationSettings, type DatabaseSettings } from './database/settings.ts'
export { joined, sql, table, tablesNamed, type Statement } from './database/sql.ts'
export type { Deployment, Limits, Schedule } from './edge/deployment.ts'
export { defineFunction, type ErrorView, type FunctionDefinition, type Hosting, type Invocation, type Main } from './edge/define.ts'
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
export { apiKeySettings, readKeys, writeKey, type ApiKey, type ApiSettings } from './settings/api-keys.ts'
export { integer, oneOf, optionalInteger, optionalText, requiredText, textOr } from './settings/schemas.ts'
export { defineSettings, readSettings, setting, SettingIssues, SettingsError, type SettingsGroup } from './settings/settings.ts'
export { createCounters, type Count, type CounterDescription, type Counters } from './telemetry/counters.ts'
export { createLogger, type Logger } from './telemetry/logger.ts'
export { poolCounters } from './telemetry/pool-counters.ts'
