import { type z } from 'zod'
import { closestKey } from './closest-key.ts'
import { pathText } from './path-text.ts'
import { readRefusal, type RefusalCode } from './refusals.ts'
import { functionSchema } from './schema/function.ts'
import { limitsSchema } from './schema/limits.ts'
import { bindingSchema, packageSchema } from './schema/package.ts'
import { projectSchema } from './schema/project.ts'
import { scheduledDetailsSchema, triggerSchema } from './schema/trigger.ts'

/** What the schema has against one place of a project file. */
export interface SchemaIssue {
  path: (string | number)[]
  code: RefusalCode
  detail: string
}

/** The keys that each map of a project file knows, by the key under which the map (or the list of such maps) stands. */
const KNOWN_KEYS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(projectSchema.shape),
  packages: Object.keys(packageSchema.shape),
  functions: Object.keys(functionSchema.shape),
  limits: Object.keys(limitsSchema.shape),
  triggers: Object.keys(triggerSchema.shape),
  scheduledDetails: Object.keys(scheduledDetailsSchema.shape),
  binding: Object.keys(bindingSchema.shape),
  targetNamespace: ['test', 'production'],
}

/** Every word that the schema itself knows. */
export const SCHEMA_WORDS: ReadonlySet<string> = new Set(Object.values(KNOWN_KEYS).flat())

/** Keys with a reason of their own for being refused, and the known keys that they stand for. */
const KNOWN_MISTAKES: Readonly<Record<string, Readonly<Record<string, { code: RefusalCode; standsFor: readonly string[] }>>>> = {
  '': Object.fromEntries(
    ['slice', 'credentials', 'flags', 'deployerAnnotation', 'buildEnv'].map(key => [key, { code: 'internal-key', standsFor: [] }]),
  ),
  packages: { actions: { code: 'actions-alias', standsFor: ['functions'] } },
  triggers: {
    sourceType: { code: 'legacy-trigger', standsFor: ['type', 'scheduledDetails'] },
    sourceDetails: { code: 'legacy-trigger', standsFor: ['type', 'scheduledDetails'] },
  },
}

/**
 * Turns the issues of zod into those of a project file, one for each mistake: every unknown key by itself,
 * a misspelled key without the complaint that the right one is missing, and one reason for each place.
 */
export function schemaIssues(issues: readonly z.core.$ZodIssue[]): SchemaIssue[] {
  const found: SchemaIssue[] = []
  const excused = new Set<string>()
  for (const issue of issues) {
    const path = issue.path.filter(segment => typeof segment !== 'symbol')
    if (issue.code !== 'unrecognized_keys') {
      const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message
      found.push({ path, ...readRefusal(message) })
      continue
    }
    for (const key of issue.keys) {
      const { standsFor, ...refused } = unknownKey(path, key)
      found.push({ path: [...path, key], ...refused })
      for (const name of standsFor) excused.add(JSON.stringify([...path, name]))
    }
  }
  const reported = new Set<string>()
  return withoutMisplaced(found).filter(({ code, path }) => {
    if (code.endsWith('-missing') && excused.has(JSON.stringify(path))) return false
    const place = JSON.stringify(code === 'legacy-trigger' ? path.slice(0, -1) : path)
    return !reported.has(place) && reported.add(place)
  })
}

/** A key that is missing in one place and unknown in another was put in the wrong place: one mistake, reported where it stands. */
function withoutMisplaced(found: readonly SchemaIssue[]): SchemaIssue[] {
  const lastOf = ({ path }: SchemaIssue) => path.at(-1)
  const moved = new Map<SchemaIssue, SchemaIssue>()
  for (const unknown of found.filter(({ code }) => code === 'unknown-key')) {
    const alike = found.filter(issue => issue !== unknown && lastOf(issue) === lastOf(unknown))
    const [missing] = alike
    if (missing && alike.length === 1 && missing.code.endsWith('-missing')) moved.set(missing, unknown)
  }
  return found.flatMap(issue => {
    if (moved.has(issue)) return []
    const missing = [...moved].find(([, unknown]) => unknown === issue)?.[0]
    return [missing ? { ...issue, detail: `Move it to ${pathText(missing.path.slice(0, -1), '', SCHEMA_WORDS)}` } : issue]
  })
}

function unknownKey(path: readonly (string | number)[], key: string): { code: RefusalCode; detail: string; standsFor: readonly string[] } {
  const level = path.findLast(segment => typeof segment === 'string') ?? ''
  const mistakes = KNOWN_MISTAKES[level] ?? {}
  const mistake = Object.hasOwn(mistakes, key) ? mistakes[key] : undefined
  if (mistake) return { ...mistake, detail: '' }
  const meant = closestKey(key, KNOWN_KEYS[level] ?? [])
  if (meant) return { code: 'unknown-key', detail: `Write ${meant}, or take it out`, standsFor: [meant] }
  const elsewhere = level === '' ? 'Take it out; an anchor can stand where it is first used' : 'Take it out'
  return { code: 'unknown-key', detail: elsewhere, standsFor: [] }
}
