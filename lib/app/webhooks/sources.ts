import { defineSources, describeSources } from '../../webhook-inbox/src/verify/source-settings.ts'
import { handlers } from './handlers/index.ts'
import { sourceTable } from './sources/index.ts'

/** Who sends webhooks: `POST /webhook/<name>`, as the webhook function is configured. A source without a secret in its variable is off. */
export const sourceSettings = defineSources(sourceTable, handlers)

/** The same without their secrets: for what was verified when it came. */
export const describedSources = describeSources(sourceTable, handlers)
