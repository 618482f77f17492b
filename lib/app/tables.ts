import { keptTablesOf, prunedTablesOf } from '../functions-ops/src/maintenance/retention-of-tables.ts'
import { modelsOf, statementTables, type ModelsOf } from '../functions-runtime/src/database/declared-tables.ts'
import { declaredTables } from './tables/index.ts'

/** The tables of this application, for statements. */
export const tables = statementTables(declaredTables)

/** Defines the models of this application. */
export const defineModels = modelsOf(declaredTables)

// Marked as pure, so that a bundle that prunes nothing leaves them out.
/** The tables whose old rows maintenance deletes. */
export const prunedTables = /* @__PURE__ */ prunedTablesOf(declaredTables)
/** The tables whose rows stay. */
export const keptTables = /* @__PURE__ */ keptTablesOf(declaredTables)

declare module '../functions-runtime/src/database/models.ts' {
  interface ApplicationModels extends ModelsOf<typeof declaredTables> {}
}
