import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ApiDescription } from '../../functions-runtime/src/api/openapi.ts'
import type { SettingsGroup } from '../../functions-runtime/src/settings/settings.ts'
import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'
import type { DescribedSource, SourceDefinition } from '../../webhook-inbox/src/verify/source.ts'
import type { Sources } from '../../webhook-inbox/src/verify/source-settings.ts'

/** What an application tells the tools of itself, in `lib/app/project.ts`. */
export interface Application {
  /** Oldest first. */
  readonly migrations: readonly Migration[]
  /** Who sends webhooks, by name. */
  readonly sources: Readonly<Record<string, SourceDefinition>>
  readonly sourceSettings: SettingsGroup<Sources>
  /** The sources without their secrets. */
  readonly describedSources: ReadonlyMap<string, DescribedSource>
  /** The source for which events are signed when none is named. */
  readonly defaultSource: SourceDefinition
  /** What an API key may be for. */
  readonly scopes: readonly string[]
  /** The API, and the file with its contract, seen from the checkout. */
  readonly api: { readonly description: ApiDescription; readonly file: string }
  /** What the external ids of users begin with that a smoke test makes. */
  readonly smokeMark: string
}

const checkout = resolve(import.meta.dirname, '../../..')

/** The application of this checkout. It is found by its path: nothing here is compiled against it. */
export const application = ((await import(pathToFileURL(join(checkout, 'lib/app/project.ts')).href)) as { project: Application }).project
