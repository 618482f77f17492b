import type { SettingsGroup } from '../../../functions-runtime/src/settings/settings.ts'
import type { Sources, SourceTable } from './source-settings.ts'

/** The settings group of sources, none of which may lack its variable: only the word `none` switches a source off. */
export function requireSecrets(sources: SettingsGroup<Sources>, table: SourceTable): SettingsGroup<Sources> {
  return {
    variables: sources.variables,
    parse(environment) {
      const missing = Object.entries(table).flatMap(([source, { secrets: variable }]) => {
        if ((environment[variable] ?? '').trim() !== '') return []
        return [{ variable, reason: `is missing: set it to the secret of source ${source}, or to none to refuse its deliveries` }]
      })
      const read = sources.parse(environment)
      if (missing.length === 0) return read
      return { issues: [...missing, ...(read.issues ?? []).filter(({ variable }) => missing.every(one => one.variable !== variable))] }
    },
  }
}
