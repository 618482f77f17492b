import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ProvenAnswer, ProvenCall, ProvenRequest, ProvenWebhook } from '../../../functions-runtime/src/api/proofs.ts'
import { application } from '../../../functions-devkit/src/application.ts'
import { bundle } from '../../../functions-devkit/src/build/bundle/bundle.ts'
import { ABSENT, PARTS, STAND_INS } from '../../../functions-devkit/src/build/bundle/taken-out.ts'
import { loadApis } from '../../../functions-devkit/src/cli/apis.ts'
import { composeDelivery } from '../../../functions-devkit/src/server/compose-delivery.ts'
import { readLocalFile } from '../../../functions-devkit/src/server/local-environment.ts'
import { localApiKeys, localSettings } from '../../../functions-devkit/src/server/local-settings.ts'
import { admit, type PlatformEvent } from '../../../functions-devkit/src/server/platform/event.ts'
import { toHttpReply, type CallEnd } from '../../../functions-devkit/src/server/platform/response.ts'
import { isRecord } from '../../../functions-devkit/src/server/platform/result.ts'
import { readProject, type LocalProject } from '../../../functions-devkit/src/server/project.ts'
import { type ScheduleDescription } from '../../../functions-devkit/src/server/schedules.ts'
import { localWebhookSecrets } from '../../../functions-devkit/src/server/webhook-secrets.ts'
import { type Variables } from './client/orders.ts'

/** The functions of an application as they are called here. */
export interface Subject {
  /** All of them, as `package/function`. */
  readonly functions: readonly string[]
  /** What is called by the clock. */
  readonly schedules: readonly ScheduleDescription[]
  /** The variables of a function, apart from those that lead to the database. */
  variablesOf(functionName: string): Variables
  /** What the platform calls a function with. @throws Error for a call that the function or the platform cannot take */
  eventOf(functionName: string, call: ProvenCall, id: string): PlatformEvent
  /** What the caller of a function is answered with. */
  answerOf(functionName: string, end: CallEnd): ProvenAnswer
}

/** Reads the application of a folder. Every secret is made for this process. */
export async function readSubject(folder: string): Promise<Subject> {
  const secrets = {
    databasePassword: '',
    webhookSecret: `whsec_${randomBytes(32).toString('base64')}`,
    apiKey: `key_${randomBytes(18).toString('hex')}`,
  }
  const { scopes } = await loadApis(folder)
  const environment = { ...readLocalFile(folder), LOG_LEVEL: 'warn' }
  const local = {
    ...localSettings({ databaseUrl: 'none', secrets }),
    API_KEYS: localApiKeys(secrets, scopes),
    PAYLOAD_KEY: randomBytes(32).toString('base64'),
  }
  const project = readProject({ text: readFileSync(join(folder, 'project.yml'), 'utf8'), local, environment })
  const webhookSecrets = localWebhookSecrets(secrets.webhookSecret)

  return {
    functions: project.functions.map(({ qualifiedName }) => qualifiedName),
    schedules: project.schedules,
    variablesOf: name => project.environmentOf(name),
    eventOf(name, call, id) {
      if ('input' in call) return call.input
      const request = 'source' in call ? { ...deliver(call, id, webhookSecrets), query: '' } : requestOf(call, secrets.apiKey)
      const admission = admit(request, describe(project, name).web === 'raw' ? 'raw' : 'parsed')
      if (admission.outcome === 'refused') throw new Error(`The platform refuses the call of ${name}: ${admission.reason}`)
      return admission.event
    },
    answerOf(name, end) {
      if (describe(project, name).web !== false) {
        const { status, body } = toHttpReply(end, 'prove')
        return { status, body: asRecord(body.toString()) }
      }
      if (end.end !== 'result') return { status: 500, body: {} }
      const result = isRecord(end.result) ? end.result : {}
      return isRecord(result.error) ? { status: 500, body: result.error } : { status: 200, body: result }
    },
  }
}

/**
 * Bundles functions as they are deployed, once, into a folder. Returns the file of each.
 * @throws what esbuild throws; it has printed the reasons
 */
export async function bundleFunctions(checkout: string, names: readonly string[], outdir: string): Promise<(name: string) => string> {
  writeFileSync(join(outdir, 'package.json'), JSON.stringify({ type: 'commonjs' }))
  const entries = names.map(name => `packages/${name}/index.ts`)
  await bundle({ checkout, entries, parts: PARTS, absent: ABSENT, standIns: STAND_INS, outdir })
  return name => join(outdir, 'packages', name, 'dist/index.js')
}

function describe(project: LocalProject, name: string) {
  const found = project.functions.find(({ qualifiedName }) => qualifiedName === name)
  if (found === undefined) throw new Error(`project.yml declares no function ${name}`)
  return found
}

function deliver({ source, type, data }: ProvenWebhook, id: string, secrets: Readonly<Record<string, string>>) {
  const definition = application.sources[source]
  if (definition === undefined) throw new Error(`The application has no source ${source}`)
  const { headers, body } = composeDelivery({ definition, secret: secrets[definition.secrets] ?? '', id, type, data })
  return { method: 'POST', path: `/${source}`, headers, body: Buffer.from(body) }
}

function requestOf({ method, path: whole, headers = {}, body }: ProvenRequest, apiKey: string) {
  const [path = '', query = ''] = whole.split('?')
  const given = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  const content = body === undefined ? {} : { 'content-type': 'application/json' }
  return {
    method,
    path: path === '/' ? '' : path,
    query,
    headers: { authorization: `Bearer ${apiKey}`, ...content, ...given },
    body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
  }
}

function asRecord(text: string): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(text) as unknown
    return isRecord(value) ? value : {}
  } catch {
    return {}
  }
}
