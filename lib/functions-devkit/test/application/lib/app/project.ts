import { counters } from './counters.ts'
import { loadModels } from './database.ts'
import { erasers } from './maintenance/erasers.ts'
import { prunedTables } from './maintenance/pruned-tables.ts'
import { migrations } from './migrations/index.ts'
import { proofs } from './proofs.ts'
import { samples, smoke } from './samples.ts'
import { describedSources, sourceSettings, sourceTable } from './webhooks/sources.ts'

export const project = {
  migrations,
  models: loadModels,
  counters,
  sources: sourceTable,
  sourceSettings,
  describedSources,
  defaultSource: sourceTable.demo,
  prunedTables,
  keptTables: ['transactions', 'users'],
  erasers,
  samples,
  smoke,
  proofs,
}
