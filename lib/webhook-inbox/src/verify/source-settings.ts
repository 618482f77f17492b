import { defineSettings, SettingIssues, type SettingIssue, type SettingsGroup } from '../../../functions-runtime/src/settings/settings.ts'
import { optionalText } from '../../../functions-runtime/src/settings/schemas.ts'
import type { WebhookHandler } from '../inbox/handler.ts'
import { checkDefinition } from './check-definition.ts'
import { mismatchHints } from './mismatch-hints.ts'
import { isSampleSecret } from './sample-secrets.ts'
import { SignatureError } from './signature-error.ts'
import { schemeOf, type DescribedSource, type Source, type SourceDefinition } from './source.ts'

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

class SourceMap extends Map<string, Source> implements Sources {
  readonly weakSecrets: WeakSecret[] = []
}

/**
 * Makes the settings group of a table of sources: reads the secrets of each and binds them to its scheme. `handlers` serve
 * every source that does not name its own.
 * @throws TypeError for a definition that cannot work: a mistake in the code.
 */
export function defineSources(table: SourceTable, handlers: readonly WebhookHandler[]): SettingsGroup<Sources> {
  const templates = Object.entries(table).map(([name, definition]) => templateOf(name, definition, handlers))
  const shape = Object.fromEntries(templates.map(({ variable }) => [variable, optionalText()]))
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

/** The sources of a table without their secrets: enough to read again what was verified before. */
export function describeSources(table: SourceTable, handlers: readonly WebhookHandler[]): ReadonlyMap<string, DescribedSource> {
  return new Map(Object.entries(table).map(([name, definition]) => [name, templateOf(name, definition, handlers).source]))
}

type Template = ReturnType<typeof templateOf>

// A day: what is older than that is no delay of the wire.
const LONGEST_TOLERANCE_S = 86_400

function templateOf(name: string, definition: SourceDefinition, allHandlers: readonly WebhookHandler[]) {
  checkDefinition(name, definition)
  const { secrets: variable, toleranceSeconds = 300, answerWithinMs, replayGuard, handlers = allHandlers } = definition
  const scheme = schemeOf(definition)
  const eventId = definition.eventId ?? scheme.eventId
  const type = definition.type ?? scheme.type
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name))
    throw new TypeError(`The name of source ${name} does not fit into a path: use lower-case letters, digits and hyphens.`)
  if (eventId === undefined || type === undefined)
    throw new TypeError(`Source ${name} has to name the places of event id and type: \`eventId\` and \`type\`.`)
  if (!(toleranceSeconds > 0 && toleranceSeconds <= LONGEST_TOLERANCE_S))
    throw new TypeError(`Source ${name} has \`toleranceSeconds\`, which has to be more than 0 and at most ${LONGEST_TOLERANCE_S}.`)
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
      handlers: new Map(handlers.map(handler => [handler.type, handler])),
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
