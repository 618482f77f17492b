import { counters } from './counters.ts'
import { loadModels } from './database.ts'
import { erasers } from './maintenance/erasers.ts'
import { keptTables, prunedTables } from './tables.ts'
import { migrations } from './migrations/index.ts'
import { proofs } from './proofs.ts'
import { samples } from './samples.ts'
import { createUserChecks } from './users/smoke-checks.ts'
import { sourceTable } from './webhooks/sources/index.ts'
import { describedSources, sourceSettings } from './webhooks/sources.ts'

/** What the tools know of this application. They read it by its path; functions are found under `packages/`. */
export const project = {
  migrations,
  models: loadModels,
  counters,
  sources: sourceTable,
  sourceSettings,
  describedSources,
  /** The source for which `npm run send` and the smoke test sign. */
  defaultSource: sourceTable.demo,
  prunedTables,
  keptTables,
  erasers,
  samples,
  proofs,
  smoke: { scopes: ['users:read', 'users:write'], checks: createUserChecks },
}
