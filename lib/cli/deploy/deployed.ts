import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as z from 'zod/mini'
import { askForJson, DoctlError, type Doctl } from './doctl.ts'

/** A function as the platform has it. */
export interface DeployedFunction {
  readonly name: string
  readonly kind: string | undefined
  readonly web: boolean | 'raw'
  readonly limits: Readonly<Record<string, number>>
  /** Set on the function itself, values included: to compare, never to print. */
  readonly environment: Readonly<Record<string, string>>
}

/** A schedule as the platform has it. */
export interface DeployedTrigger {
  readonly name: string
  readonly function: string
  readonly cron: string | undefined
  readonly body: Readonly<Record<string, unknown>>
  readonly enabled: boolean
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
const triggers = z.nullable(
  z.array(
    z.object({
      name: z.string(),
      function: z.optional(z.string()),
      is_enabled: z.boolean(),
      scheduled_details: z.nullish(z.object({ cron: z.optional(z.string()), body: z.nullish(z.record(z.string(), z.unknown())) })),
    }),
  ),
)

/** Every function of the namespace, as `package/function`, with the version that each deployment counts up. */
export async function readVersions(doctl: Doctl): Promise<Map<string, string>> {
  const versions = new Map<string, string>()
  for (let skip = 0; ; skip += PAGE) {
    const words = ['serverless', 'functions', 'list', '--limit', String(PAGE), '--skip', String(skip), '--output', 'json']
    const page = understood(z.nullable(listed), await askForJson(doctl, ...words), words) ?? []
    for (const { namespace, name, version } of page) versions.set([...namespace.split('/').slice(1), name].join('/'), version)
    if (page.length < PAGE) return versions
  }
}

/** One function with everything that can be told of it. */
export async function readFunction(doctl: Doctl, name: string): Promise<DeployedFunction> {
  const words = ['serverless', 'functions', 'get', name]
  const [answer, environment] = await Promise.all([askForJson(doctl, ...words), readEnvironment(doctl, name)])
  const { exec, annotations: noted, limits } = understood(described, answer, words)
  const notes = new Map((noted ?? []).map(({ key, value }) => [key, value]))
  const web = notes.get('web-export') !== true ? false : notes.get('raw-http') === true ? 'raw' : true
  return { name, kind: exec.kind, web, limits: limits ?? {}, environment }
}

/** All schedules of the namespace. */
export async function readTriggers(doctl: Doctl): Promise<DeployedTrigger[]> {
  const words = ['serverless', 'triggers', 'list', '--output', 'json']
  return (understood(triggers, await askForJson(doctl, ...words), words) ?? []).map(
    ({ name, function: called = '', is_enabled: enabled, scheduled_details: details }) => ({
      name,
      // Some versions put the namespace before it.
      function: called.split('/').slice(-2).join('/'),
      cron: details?.cron,
      body: details?.body ?? {},
      enabled,
    }),
  )
}

// doctl tells the environment apart from parameters only in a file, which nobody else gets to read.
async function readEnvironment(doctl: Doctl, name: string): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'deployed-'))
  try {
    const file = join(folder, 'environment.json')
    const { status, stderr } = await doctl('serverless', 'functions', 'get', name, '--save-env-json', file)
    if (status !== 0) throw new DoctlError(`doctl does not tell the environment of ${name}: ${stderr.trim()}`)
    return understood(environments, JSON.parse(await readFile(file, 'utf8')), ['serverless', 'functions', 'get', name])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function understood<Schema extends z.ZodMiniType>(schema: Schema, value: unknown, words: readonly string[]): z.output<Schema> {
  const read = schema.safeParse(value)
  if (read.success) return read.data
  throw new DoctlError(`doctl ${words.join(' ')} answers in a form that is not known here: see what is there with doctl itself`)
}
