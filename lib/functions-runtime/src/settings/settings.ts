import type * as z from 'zod/mini'
import { ApplicationError } from '../edge/http-errors.ts'
import { fallbackOf } from './schemas.ts'

/** Why a variable is not usable; the reason never repeats its value. */
export interface SettingIssue {
  variable: string
  reason: string
}

/** Settings are missing or unusable. `issues` names the variables; the message is for callers of a function, unless one is given. */
export class SettingsError extends ApplicationError {
  override readonly name = 'SettingsError'
  readonly issues: readonly SettingIssue[]
  constructor(issues: readonly SettingIssue[], message = 'The service is not configured.') {
    super(message, { code: 'settings-invalid', status: 503, retryable: false })
    this.issues = issues
  }

  /** Names of the variables at fault, each once. */
  get variables(): readonly string[] {
    return [...new Set(this.issues.map(issue => issue.variable))]
  }
}

export type Environment = Readonly<Record<string, string | undefined>>

/** Reads one group of settings from its variables; collects every issue instead of stopping at the first. */
export interface SettingsGroup<Value> {
  /** Every variable that this group reads; project.yml passes exactly these. */
  readonly variables: readonly string[]
  /** What `npm run sync` writes into .env.example and into the README, by variable. */
  readonly documentation?: Readonly<Record<string, SettingDocumentation>>
  parse(environment: Environment): { value: Value; issues?: never } | { value?: never; issues: SettingIssue[] }
  /** What is wrong with it although `parse` bears that. */
  tolerated?(environment: Environment): readonly SettingIssue[]
}

/** What a reader of .env.example and of the README learns about a variable. */
export interface SettingDocumentation {
  /** What the setting is for and which forms it takes: begins in lower case and has no full stop at its end. */
  readonly meaning: string
  /** What holds when the variable is not set, in words; undefined when it has to be set. */
  readonly fallback?: string
  /** The value for .env.example. */
  readonly value: string
}

const documented = new WeakMap<object, SettingDocumentation>()

/**
 * Documents a schema and returns it: `setting(textOr('Hello'), 'how users are greeted')`. `fallback` says in words what holds without
 * a value, by default the schema's own default.
 */
export function setting<Schema extends z.ZodMiniType>(schema: Schema, meaning: string, { fallback }: { readonly fallback?: string } = {}): Schema {
  const own = fallbackOf(schema)
  const words = fallback ?? own
  documented.set(schema, { meaning, value: own ?? 'none', ...(words === undefined ? {} : { fallback: words }) })
  return schema
}

/** What was read of a group that may be wrong. */
export type Settled<Value> = { readonly value: Value; readonly issues?: never } | { readonly value?: never; readonly issues: readonly SettingIssue[] }

/** The same group for a function that has to go on without it, such as the one that tells what is wrong. */
export function settled<Value>(group: SettingsGroup<Value>): SettingsGroup<Settled<Value>> {
  return {
    variables: group.variables,
    ...(group.documentation === undefined ? {} : { documentation: group.documentation }),
    parse: environment => ({ value: group.parse(environment) }),
    tolerated: environment => group.parse(environment).issues ?? [],
  }
}

type Shape = Record<string, z.ZodMiniType>
type Values<S extends Shape> = { readonly [Name in keyof S]: z.output<S[Name]> }

/** Thrown by a group's `build` for what no single variable shows, such as two that contradict each other. */
export class SettingIssues extends Error {
  readonly issues: SettingIssue[]
  constructor(issues: SettingIssue[]) {
    super('settings contradict each other')
    this.issues = issues
  }
}

/** What a reader of text returns for text that cannot be used. */
export interface Refused {
  /** Each reads on after the variable's name, and repeats nothing of the value. */
  readonly refused: string | readonly string[]
}

/** Returns what was read, or `undefined` after adding its refusals to `issues`. */
export function takeOrReport<Read extends object>(variable: string, read: Read, issues: SettingIssue[]): Exclude<Read, Refused> | undefined {
  if (!('refused' in read)) return read as Exclude<Read, Refused>
  const { refused } = read as Refused
  const reasons = typeof refused === 'string' ? [refused] : refused
  issues.push(...reasons.map(reason => ({ variable, reason })))
  return undefined
}

/**
 * Describes a group of settings: one zod schema per variable, and how the values become what the code uses.
 * A variable that is empty or holds the word `none` counts as not set, because the deployer cannot pass an empty value.
 */
export function defineSettings<S extends Shape, Value>(shape: S, build: (values: Values<S>) => Value): SettingsGroup<Value> {
  const variables = Object.keys(shape)
  return {
    variables,
    get documentation() {
      const found = Object.entries(shape).map(([name, schema]) => [name, documented.get(schema)] as const)
      return Object.fromEntries(found.flatMap(([name, known]) => (known === undefined ? [] : [[name, known]])))
    },
    parse(environment) {
      const issues: SettingIssue[] = []
      const values: Record<string, unknown> = {}
      for (const variable of variables) {
        const schema = shape[variable]
        if (!schema) continue
        const read = schema.safeParse(textOf(environment[variable]))
        if (read.success) values[variable] = read.data
        else for (const issue of read.error.issues) issues.push({ variable, reason: reasonOf(issue) })
      }
      // With a variable missing from the values, `build` may stumble; what it finds wrong with the others counts all the same.
      try {
        const value = build(values as Values<S>)
        return issues.length > 0 ? { issues } : { value }
      } catch (error) {
        if (error instanceof SettingIssues) return { issues: [...issues, ...error.issues.filter(({ variable }) => !reported(issues, variable))] }
        if (issues.length > 0) return { issues }
        throw error
      }
    },
  }
}

export type Groups = Readonly<Record<string, SettingsGroup<unknown>>>
export type SettingsOf<G extends Groups> = {
  readonly [Name in keyof G]: G[Name] extends SettingsGroup<infer Value> ? Value : never
}

/**
 * Reads several groups at once from the environment.
 * @throws SettingsError naming every bad variable of all groups together.
 */
export function readSettings<G extends Groups>(groups: G, environment: Environment = process.env): SettingsOf<G> {
  const issues: SettingIssue[] = []
  const values: Record<string, unknown> = {}
  for (const [name, group] of Object.entries(groups)) {
    const read = group.parse(environment)
    if (read.issues) issues.push(...read.issues)
    else values[name] = read.value
  }
  if (issues.length > 0) throw new SettingsError(issues)
  return Object.freeze(values) as SettingsOf<G>
}

/** What is wrong with groups although they bear it. */
export function toleratedIssues(groups: Groups, environment: Environment = process.env): readonly SettingIssue[] {
  return Object.values(groups).flatMap(group => group.tolerated?.(environment) ?? [])
}

/** Names of all variables that these groups read, sorted. */
export function variablesOf(groups: Groups): string[] {
  return [...new Set(Object.values(groups).flatMap(group => group.variables))].sort()
}

/** What the groups say of their variables, by variable. */
export function documentationOf(groups: Groups): Record<string, SettingDocumentation> {
  return Object.assign({}, ...Object.values(groups).map(group => group.documentation)) as Record<string, SettingDocumentation>
}

function reported(issues: readonly SettingIssue[], variable: string): boolean {
  return issues.some(issue => issue.variable === variable)
}

function textOf(raw: string | undefined): string | undefined {
  const word = raw?.trim().toLowerCase()
  return word === undefined || word === '' || word === 'none' ? undefined : raw
}

// zod's own messages can repeat what was received; only messages written in this project are let through.
function reasonOf(issue: { message?: string; code: string }): string {
  return issue.code === 'custom' && issue.message ? issue.message : 'is missing or has the wrong form'
}
