import { defineSettings, setting, SettingIssues, type SettingIssue, type SettingsGroup } from '../../../functions-runtime/src/settings/settings.ts'
import { optionalText } from '../../../functions-runtime/src/settings/schemas.ts'
import type { WebhookHandler } from '../inbox/handler.ts'
import { checkHandlers } from '../inbox/check-handlers.ts'
import { checkDefinition } from './check-definition.ts'
import { mismatchHints } from './mismatch-hints.ts'
import { isSampleSecret } from './sample-secrets.ts'
import { SignatureError } from './signature-error.ts'
import { schemeOf, type DescribedSource, type Source, type SchemeName, type SourceDefinition } from './source.ts'

/** Who sends webhooks, by name. */
export type SourceTable = Readonly<Record<string, SourceDefinition>>

/** A secret that works but is easily guessed. */
export interface WeakSecret {
  readonly source: string
  readonly variable: string
}

export interface Sources extends ReadonlyMap<string, Source> {
  readonly weakSecrets: readonly WeakSecret[]
}

const TEXT_FORM = 'the text agreed with the sender, without blanks, 20 characters or more'
const SECRET_FORMS: Readonly<Record<SchemeName, string>> = {
  standard: '`whsec_` and base64 of 24 to 64 random bytes, or a public key, `whpk_` and base64 of 32 bytes',
  stripe: "the endpoint's signing secret with its `whsec_`",
  github: TEXT_FORM,
  shopify: TEXT_FORM,
  digitalocean: TEXT_FORM,
  hmac: TEXT_FORM,
}

class SourceMap extends Map<string, Source> implements Sources {
  readonly weakSecrets: WeakSecret[] = []
}

/**
 * Returns the settings group of a table of sources, which reads the secrets of each and binds them to its scheme. `handlers` are
 * the common ones: they serve every source, but for types that it has a handler of its own for, and sources with
 * `commonHandlers: false`.
 * @throws TypeError for a definition or a handler that cannot work: a mistake in the code.
 */
export function defineSources(table: SourceTable, handlers: readonly WebhookHandler[]): SettingsGroup<Sources> {
  const templates = templatesOf(table, handlers)
  const shape = Object.fromEntries(
    templates.map(({ name, variable, source }) => {
      const meaning = `secret of the webhook source \`${name}\`: ${SECRET_FORMS[source.scheme]}; two, separated by a blank, while one is being replaced`
      return [variable, setting(optionalText(), meaning, { fallback: 'the source is off' })]
    }),
  )
  return defineSettings(shape, (values): Sources => {
    // Such a function would refuse every delivery: most likely the variables were forgotten.
    if (Object.values(values).every(value => value === undefined)) {
      throw new SettingIssues(Object.keys(shape).map(variable => ({ variable, reason: 'is missing, as the secrets of all sources are' })))
    }
    const sources = new SourceMap()
    const issues: SettingIssue[] = []
    for (const template of templates) {
      const { variable } = template
      const text = values[variable] ?? ''
      const { keys, weak, refusals } = readSecrets(template, text)
      issues.push(...refusals.map(reason => ({ variable, reason })))
      if (weak) sources.weakSecrets.push({ source: template.name, variable })
      sources.set(template.name, bind(template, keys, text))
    }
    if (issues.length > 0) throw new SettingIssues(issues)
    return sources
  })
}

/**
 * Returns the sources of a table without their secrets, for events that were verified when they came: later attempts and the
 * outage buffer. Give it the table and the common handlers of `defineSources`.
 * @throws TypeError as `defineSources` does.
 */
export function describeSources(table: SourceTable, handlers: readonly WebhookHandler[]): ReadonlyMap<string, DescribedSource> {
  return new Map(templatesOf(table, handlers).map(({ name, source }) => [name, source]))
}

type Template = ReturnType<typeof templateOf>

function templatesOf(table: SourceTable, common: readonly WebhookHandler[]) {
  checkHandlers(common, 'The common handlers: ')
  return Object.entries(table).map(([name, definition]) => templateOf(name, definition, common))
}

function templateOf(name: string, definition: SourceDefinition, common: readonly WebhookHandler[]) {
  const { eventId, type } = checkDefinition(definition, name)
  const { secrets: variable, toleranceSeconds = 300, answerWithinMs, replayGuard, handlers: own = [], commonHandlers = true } = definition
  const scheme = schemeOf(definition)
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name))
    throw new TypeError(`The name of source ${name} does not fit into a path: use lower-case letters, digits and hyphens.`)
  return {
    name,
    variable,
    scheme,
    toleranceMs: toleranceSeconds * 1000,
    source: {
      name,
      scheme: definition.scheme,
      eventId,
      type,
      data: definition.data ?? scheme.data,
      formField: scheme.formField,
      // The last of a type stays.
      handlers: new Map([...(commonHandlers ? common : []), ...own].map(handler => [handler.type, handler])),
      concerns: definition.concerns,
      answerWithinMs,
      replayGuard,
      bodyVaries: scheme.bodyVaries ?? false,
    },
  }
}

function readSecrets({ scheme }: Template, text: string): { keys: unknown[]; weak: boolean; refusals: string[] } {
  const secrets = text.split(/\s+/).filter(secret => secret !== '')
  const readings = secrets.map(secret => (isSampleSecret(secret) ? { refused: 'holds a sample that everybody may know' } : scheme.readSecret(secret)))
  return {
    keys: readings.flatMap(reading => ('key' in reading ? [reading.key] : [])),
    weak: readings.some(reading => 'key' in reading && reading.weak),
    refusals: [...new Set(readings.flatMap(reading => ('refused' in reading ? [reading.refused] : [])))],
  }
}

function bind({ scheme, toleranceMs, source }: Template, keys: readonly unknown[], secrets: string): Source {
  const options = { keys, toleranceMs }
  return {
    ...source,
    verify(request) {
      if (keys.length === 0) throw new SignatureError('secret-missing')
      const fault = faultOf(() => scheme.verify(request, options))
      if (fault?.code !== 'signature-mismatch') {
        if (fault) throw fault
        return
      }
      const fits = (body: Buffer) => faultOf(() => scheme.verify({ ...request, body }, options))?.code !== 'signature-mismatch'
      throw new SignatureError('signature-mismatch', mismatchHints(request, { secrets, fits }))
    },
  }
}

function faultOf(verify: () => void): SignatureError | undefined {
  try {
    verify()
    return undefined
  } catch (error) {
    if (error instanceof SignatureError) return error
    throw error
  }
}
