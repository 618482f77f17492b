import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod/mini'
import { askForJson, DoctlError, type Doctl } from './doctl.ts'
import { withExchange } from './exchange.ts'
import { reasonOf } from './reason.ts'

/** A function as the platform has it. */
export interface DeployedFunction {
  readonly name: string
  readonly kind: string | undefined
  readonly web: boolean | 'raw'
  readonly limits: Readonly<Record<string, number>>
  /** Variables of the function and of its package, values included: to compare, never to print. */
  readonly environment: Readonly<Record<string, string>>
}

const PAGE = 200
const annotations = z.array(z.object({ key: z.string(), value: z.unknown() }))
const listed = z.array(z.object({ namespace: z.string(), name: z.string(), version: z.string() }))
const described = z.object({
  exec: z.object({ kind: z.optional(z.string()) }),
  annotations: z.nullish(annotations),
  limits: z.nullish(z.record(z.string(), z.number())),
})
const environments = z.record(z.string(), z.string())

/** Returns the version of every function in the namespace, by `package/function`. Each deployment increments it. */
export async function readVersions(doctl: Doctl): Promise<Map<string, string>> {
  const versions = new Map<string, string>()
  for (let skip = 0; ; skip += PAGE) {
    const words = ['serverless', 'functions', 'list', '--limit', String(PAGE), '--skip', String(skip), '--output', 'json']
    const page = understood(z.nullable(listed), await askForJson(doctl, ...words), words) ?? []
    for (const { namespace, name, version } of page) versions.set([...namespace.split('/').slice(1), name].join('/'), version)
    if (page.length < PAGE) return versions
  }
}

/** Returns one function with its variables. */
export async function readFunction(doctl: Doctl, name: string, checkout: string): Promise<DeployedFunction> {
  const words = ['serverless', 'functions', 'get', name]
  const [answer, environment] = await Promise.all([askForJson(doctl, ...words), readEnvironment(doctl, name, checkout)])
  const { exec, annotations: noted, limits } = understood(described, answer, words)
  const notes = new Map((noted ?? []).map(({ key, value }) => [key, value]))
  const web = notes.get('web-export') !== true ? false : notes.get('raw-http') === true ? 'raw' : true
  return { name, kind: exec.kind, web, limits: limits ?? {}, environment }
}

// Only this file distinguishes variables from parameters.
function readEnvironment(doctl: Doctl, name: string, checkout: string): Promise<Record<string, string>> {
  return withExchange(checkout, async folder => {
    const file = join(folder, 'environment.json')
    const words = ['serverless', 'functions', 'get', name, '--save-env-json', file]
    const result = await doctl(...words)
    if (result.status !== 0) throw new DoctlError(`doctl does not save the variables of ${name}: ${reasonOf(result)}`)
    const text = await readFile(file, 'utf8').catch(() => {
      throw new DoctlError(`doctl saved the variables of ${name}, but not where this user can read them: it must have access to the checkout`)
    })
    return understood(environments, parse(text), words)
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Returns what doctl answered, checked against a schema. */
export function understood<Schema extends z.ZodMiniType>(schema: Schema, value: unknown, words: readonly string[]): z.output<Schema> {
  const read = schema.safeParse(value)
  if (read.success) return read.data
  throw new DoctlError(`doctl ${words.join(' ')} answers in an unknown form: this version of doctl may be too old or too new`)
}
