import { api } from './api/description.ts'
import { migrations } from './migrations/index.ts'
import { scopes } from './settings/api.ts'
import { SMOKE_MARK } from './users/smoke-mark.ts'
import { describedSources, sourceSettings, sourceTable } from './webhooks/sources.ts'

/** What the tools know of this application. They read it by its path; functions are found under `packages/`. */
export const project = {
  migrations,
  sources: sourceTable,
  sourceSettings,
  describedSources,
  /** The source for which `npm run send` and the smoke test sign. */
  defaultSource: sourceTable.demo,
  /** What an API key may be for. A new key without any may do the first. */
  scopes,
  api: { description: api, file: 'lib/app/api/openapi.json' },
  /** Users whose external id begins with this are made by the smoke test, and deleted by maintenance. */
  smokeMark: SMOKE_MARK,
}
