import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { APPLICATION_FOLDER } from './application-folder.ts'
import type { Eraser } from '../../functions-ops/src/maintenance/eraser.ts'
import type { DeclaredTable } from '../../functions-ops/src/maintenance/pruned-table.ts'
import type { Proofs } from '../../functions-runtime/src/api/proofs.ts'
import type { Samples, Smoke } from '../../functions-runtime/src/api/samples.ts'
import { defineSettings, type SettingsGroup } from '../../functions-runtime/src/settings/settings.ts'
import type { DefineModels } from '../../functions-runtime/src/database/models.ts'
import type { CounterDescription } from '../../functions-runtime/src/telemetry/counters.ts'
import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'
import type { DescribedSource, Source, SourceDefinition } from '../../webhook-inbox/src/verify/source.ts'
import type { Sources } from '../../webhook-inbox/src/verify/source-settings.ts'

/** What the tools know of an application. */
export interface Application {
  /** Oldest first. */
  readonly migrations: readonly Migration[]
  /** Who sends webhooks, by name. Default: none. */
  readonly sources: Readonly<Record<string, SourceDefinition>>
  readonly sourceSettings: SettingsGroup<Sources>
  /** The sources without their secrets. */
  readonly describedSources: ReadonlyMap<string, DescribedSource>
  /** The source for which events are signed when none is named. */
  readonly defaultSource: SourceDefinition
  readonly models: () => Promise<DefineModels>
  readonly counters: readonly CounterDescription[]
  /** Its tables whose old rows maintenance deletes. */
  readonly prunedTables: readonly DeclaredTable[]
  /** Its tables of which no row is deleted by its age. */
  readonly keptTables: readonly string[]
  readonly erasers: readonly Eraser[]
  readonly samples: Samples
  readonly smoke: Smoke
  /** What `prove` proves. */
  readonly proofs: Proofs
}

/** What `lib/app/project.ts` declares; all but the migrations may be left out. */
export type Project = Pick<Application, 'migrations'> & Partial<Application>

const DEFAULTS: Omit<Application, 'migrations'> = {
  sources: {},
  sourceSettings: defineSettings({}, (): Sources => Object.assign(new Map<string, Source>(), { weakSecrets: [] })),
  describedSources: new Map(),
  defaultSource: { scheme: 'standard', secrets: 'WEBHOOK_SECRET_DEMO' },
  // Defines nothing, whatever types an application adds.
  models: async () => (() => ({})) as unknown as DefineModels,
  counters: [],
  prunedTables: [],
  keptTables: [],
  erasers: [],
  samples: { eventType: 'smoke.ping', eventData: () => ({}), requests: [] },
  smoke: { scopes: [], checks: () => [] },
  proofs: { operations: [] },
}

/** The application. It is found by its path: nothing here is compiled against it. */
export const application: Application = {
  ...DEFAULTS,
  ...((await import(pathToFileURL(join(APPLICATION_FOLDER, 'lib/app/project.ts')).href)) as { project: Project }).project,
}
