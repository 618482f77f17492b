import yaml from 'js-yaml'
import { checkProject, parseProject, placeholderEnvironment, type Problem } from '../../doctl-project-schema/src/index.ts'
import { describe, expect, it } from 'vitest'
import { copyProject } from './support/project-copy.ts'
import { type Mutation, mutationsOf, valueAt } from './support/project-mutations.ts'

/** A mutation that no check may refuse, and why it is no mistake. */
interface Harmless {
  reason: string
  is: (mutation: Mutation, place: string) => boolean
  /** A warning that comes with it. */
  warned?: string
}

const FUNCTION = 'packages[].functions[]'
const TRIGGER = `${FUNCTION}.triggers[]`
const BODY = `${TRIGGER}.scheduledDetails.body`
const VARIABLE = `${FUNCTION}.environment.`

const HARMLESS: readonly Harmless[] = [
  {
    reason: 'limits may be left out: the platform has defaults',
    is: ({ kind, detail }, place) =>
      (place.startsWith(`${FUNCTION}.limits`) && kind === 'delete') || (place === `${FUNCTION}.limits` && detail === '{}'),
  },
  {
    reason: 'which variables a function needs is in its code: the test of agreement compares them',
    is: ({ kind, detail }, place) => place === `${FUNCTION}.environment` && (kind === 'delete' || (kind === 'retype' && detail === '{}')),
  },
  {
    reason: 'names and values of variables are free, as long as they are names and strings',
    is: ({ kind, detail }, place) => place.startsWith(VARIABLE) && (kind === 'delete' || /^"\w*"$/.test(detail)),
  },
  {
    reason: 'variables of a package or a project reach each of its functions; an incremental deploy may miss a change of them',
    is: ({ kind, detail }, place) => kind === 'misplace' && place === `${FUNCTION}.environment` && /^(packages\.\d+\.)?environment$/.test(detail),
    warned: 'shared-environment',
  },
  {
    reason: 'a function may be public, and is then warned of',
    is: ({ kind, detail }, place) => kind === 'retype' && place === `${FUNCTION}.web` && detail === 'true',
    warned: 'public-without-authentication',
  },
  { reason: 'a function may be private', is: ({ kind, detail }, place) => kind === 'retype' && place === `${FUNCTION}.web` && detail === 'false' },
  {
    reason: 'a function need not have a schedule',
    is: ({ kind, detail }, place) =>
      (place === `${FUNCTION}.triggers` && (kind === 'delete' || detail === '[]')) || (place === TRIGGER && kind === 'delete'),
  },
  {
    reason: 'a trigger may have any name, and be turned on or off',
    is: ({ kind, detail }, place) =>
      (place === `${TRIGGER}.name` && kind === 'retype' && detail === '"text"') ||
      (place === `${TRIGGER}.enabled` && (kind === 'delete' || (kind === 'retype' && /^(true|false)$/.test(detail)))),
  },
  {
    reason: 'the body is any map: its meaning is in the function',
    is: ({ kind, detail }, place) =>
      (place === BODY && (kind === 'delete' || (kind === 'retype' && detail.startsWith('{')))) ||
      (place.startsWith(`${BODY}.`) && kind !== 'misplace'),
  },
]

/** A path with every index left open: `packages[].functions[].web`. */
function placeOf(path: Mutation['path']): string {
  return path
    .map(segment => (typeof segment === 'number' ? '[]' : `.${segment}`))
    .join('')
    .replace(/^\./, '')
}

function pathOf(path: Mutation['path']): string {
  return path
    .map(segment =>
      typeof segment === 'number' ? `[${segment}]` : /^[A-Za-z_][\w-]*$/.test(segment) ? `.${segment}` : `[${JSON.stringify(segment)}]`,
    )
    .join('')
    .replace(/^\./, '')
}

/** The folder that belongs to a package or a function of the data. */
function folderOf(data: unknown, path: Mutation['path']): string | undefined {
  const owners = path.length === 2 ? [path] : path.length === 4 ? [path.slice(0, 2), path] : []
  return owners.length > 0 ? ['packages', ...owners.map(owner => (valueAt(data, owner) as { name: string }).name)].join('/') : undefined
}

/** What is wrong with the problems that a mutation gave: nothing when each of them names the place, and there is one. */
function complaintAbout(mutation: Mutation, problems: readonly Problem[], original: unknown, text: string): string | undefined {
  const { kind, path, places, detail } = mutation
  const at = `${kind} ${pathOf(path)} ${detail}: `
  if (problems.length === 0) return `${at}passes silently`
  const named = places.map(pathOf)
  for (const problem of problems) {
    const isNamed = problem.path
      ? named.some(place => problem.path === place || problem.path.startsWith(`${place}.`) || problem.path.startsWith(`${place}[`))
      : problem.file === folderOf(original, path)
    if (!isNamed) return `${at}${problem.code} at ${problem.path || problem.file}`
    // A folder has no line, and a file without packages has no place where they are missing.
    if (!problem.path || problem.code === 'packages-missing') continue
    const line = text.split('\n')[(problem.line ?? 0) - 1]?.trim() ?? ''
    const key = /(\w+)\W*$/.exec(problem.path)?.[1] ?? ''
    // A key that is missing is reported where its map begins.
    const around = /(\w+)(\[\d+\])?\.\w+$/.exec(problem.path)?.[1] ?? ''
    const isThere = line.includes(key) || line.startsWith('-') || (problem.code.endsWith('-missing') && line.startsWith(`${around}:`))
    if (!isThere) return `${at}${problem.code} in line ${problem.line}: ${line}`
  }
  if (new Set(problems.map(problem => problem.path)).size < problems.length) return `${at}one place is named twice`
  // What replaces or repeats a whole map can be wrong in several ways, each with its own place.
  const holdsSeveral = (kind === 'retype' && detail.startsWith('{')) || kind === 'duplicate' || kind === 'misplace'
  if (problems.length > (kind === 'misplace' ? places.length : holdsSeveral ? Infinity : 1))
    return `${at}${problems.map(({ code }) => code).join(', ')}`
  return undefined
}

describe('a mutation of our project.yml', () => {
  it.each(['delete', 'rename', 'retype', 'misplace', 'duplicate'] as const)('by %s is refused where it happened, or listed as harmless', kind => {
    using copy = copyProject()
    const original = parseProject(copy.text, placeholderEnvironment(copy.text))
    const mutations = mutationsOf(original).filter(mutation => mutation.kind === kind)
    const complaints: string[] = []
    for (const mutation of mutations) {
      const text = yaml.safeDump(mutation.data, { noRefs: true, lineWidth: 1000 })
      copy.write('project.yml', text)
      const { problems, warnings } = checkProject(copy.root)
      const harmless = HARMLESS.find(({ is }) => is(mutation, placeOf(mutation.path)))
      const what = `${kind} ${pathOf(mutation.path)} ${mutation.detail}`
      if (!harmless) {
        const complaint = complaintAbout(mutation, problems, original, text)
        if (complaint) complaints.push(complaint)
      } else if (problems.length > 0) complaints.push(`${what}: is listed as harmless, but refused: ${problems[0]?.code}`)
      else if (harmless.warned && !warnings.some(({ code }) => code === harmless.warned)) complaints.push(`${what}: no ${harmless.warned}`)
    }
    expect(complaints).toEqual([])
    expect(mutations.length).toBeGreaterThan(5)
  })

  it('is listed as harmless only where there is such a mutation', () => {
    using copy = copyProject()
    const mutations = mutationsOf(parseProject(copy.text, placeholderEnvironment(copy.text)))
    const unused = HARMLESS.filter(({ is }) => !mutations.some(mutation => is(mutation, placeOf(mutation.path))))
    expect(unused.map(({ reason }) => reason)).toEqual([])
    // Most mutations are mistakes.
    const harmless = mutations.filter(mutation => HARMLESS.some(({ is }) => is(mutation, placeOf(mutation.path))))
    expect(harmless.length).toBeLessThan(mutations.length / 4)
  })
})
