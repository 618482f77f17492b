import { createHmac } from 'node:crypto'
import type { SourceDefinition } from '../../../webhook-inbox/src/verify/source.ts'
import { application } from '../application.ts'

type Table = Readonly<Record<string, Pick<SourceDefinition, 'scheme' | 'secrets'>>>

/**
 * The secrets of all sources on this machine, by variable. All but that of the default source, which is the given one, are made from it:
 * a source that is added has its secret at once, and every start gives it the same one.
 */
export function localWebhookSecrets(demoSecret: string, table: Table = application.sources): Record<string, string> {
  const entries = Object.values(table).map(({ scheme, secrets: variable }) => {
    const bytes = createHmac('sha256', demoSecret).update(variable).digest()
    return [variable, scheme === 'standard' ? `whsec_${bytes.toString('base64')}` : bytes.toString('base64url')] as const
  })
  return { ...Object.fromEntries(entries), [application.defaultSource.secrets]: demoSecret }
}
