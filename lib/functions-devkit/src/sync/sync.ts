import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { dirname, join } from 'node:path'
import { functionsOf, parseProject, placeholderEnvironment, ProjectFileError } from '../../../doctl-project-schema/src/index.ts'
import type { Mistake } from '../cli/mistake.ts'
import { DOCUMENTED_FILES, syncDocumentation, type DocumentedSettings } from './documentation.ts'
import { IndexError } from './index-error.ts'
import { indexFiles } from './index-files.ts'
import { loadFunctions, type FunctionFacts } from './load-functions.ts'
import { syncProjectFile, type SyncedProjectFile } from './project-file.ts'

/** Something in a file, in words. */
export interface Remark {
  readonly file: string
  /** Reads on after the file's name, without a full stop. */
  readonly reason: string
}

/** Files whose content follows from the sources of the functions and of the application. */
export interface SyncPlan {
  /** What each file that is stale has to hold, by its path in the application's folder. */
  readonly files: ReadonlyMap<string, string>
  /** The differences. */
  readonly changes: readonly Remark[]
  /** Why nothing can be worked out. */
  readonly problems: readonly (Remark & { readonly fix: string })[]
  /** Functions that cannot be loaded; nothing is worked out then. */
  readonly mistakes: readonly Mistake[]
  /** Whether the problems are those of a missing or invalid project.yml. */
  readonly isInvalid?: boolean
}

const NOTHING: SyncPlan = { files: new Map(), changes: [], problems: [], mistakes: [] }
const PROJECT_FILE = 'project.yml'
/** Why a file is stale, when there is no more to say. */
export const STALE = 'is not what the sources say'

/**
 * Works out what is stale. Indexes come first and alone: while one is stale, the functions cannot be loaded reliably, and
 * `files` has nothing else. Writes nothing.
 */
export async function planSync(application: string): Promise<SyncPlan> {
  const indexes = planIndexes(application)
  return indexes.files.size > 0 || indexes.problems.length > 0 ? indexes : planForFunctions(application)
}

/** The same for indexes alone. */
export function planIndexes(application: string): SyncPlan {
  try {
    const files = staleOf(application, indexFiles(application))
    return { ...NOTHING, files, changes: [...files.keys()].map(file => ({ file, reason: STALE })) }
  } catch (error) {
    if (!(error instanceof IndexError)) throw error
    return { ...NOTHING, problems: [error] }
  }
}

/** Writes what a plan says. */
export function writeFiles(application: string, files: ReadonlyMap<string, string>): void {
  for (const [path, text] of files) {
    mkdirSync(dirname(join(application, path)), { recursive: true })
    writeFileSync(join(application, path), text)
  }
}

async function planForFunctions(application: string): Promise<SyncPlan> {
  const text = textOf(join(application, PROJECT_FILE))
  if (text === undefined)
    return { ...NOTHING, isInvalid: true, problems: [{ file: PROJECT_FILE, reason: 'is missing', fix: 'Run this in the folder of an application' }] }
  const names = globSync('packages/*/*/index.ts', { cwd: application }).map(path => path.split('/').slice(1, -1).join('/'))
  let declared: ReadonlySet<string>
  try {
    const functions = functionsOf(parseProject(text, placeholderEnvironment(text))).filter(({ runtime }) => runtime === 'nodejs:24')
    declared = new Set(functions.map(({ qualifiedName }) => qualifiedName))
  } catch (error) {
    if (!(error instanceof ProjectFileError)) throw error
    return {
      ...NOTHING,
      isInvalid: true,
      problems: error.issues.map(({ reason, fix, line }) => ({ file: `${PROJECT_FILE}${line === undefined ? '' : `:${line}`}`, reason, fix })),
    }
  }
  const loaded = await loadFunctions(application, names.sort())
  // One that is not made by defineFunction is its author's, who writes its block by hand.
  const mistakes = loaded.flatMap(({ name, mistake }) => (mistake === undefined || (mistake.isForeign && declared.has(name)) ? [] : [mistake]))
  const problems = loaded.flatMap(namingProblems)
  if (mistakes.length > 0 || problems.length > 0) return { ...NOTHING, mistakes, problems }
  const mains = loaded.flatMap(one => (one.mistake === undefined ? [one] : []))
  const gone = new Set([...declared].filter(name => isGone(application, name)))
  let project: SyncedProjectFile
  let settings: DocumentedSettings
  try {
    project = syncProjectFile(
      text,
      mains.map(({ deployment }) => deployment),
      gone,
    )
    settings = settingsOf(mains)
  } catch (error) {
    if (!(error instanceof IndexError)) throw error
    return { ...NOTHING, problems: [error] }
  }
  const documented = DOCUMENTED_FILES.flatMap(file => {
    const before = textOf(join(application, file))
    return before === undefined ? [] : [[file, syncDocumentation(file, before, settings)] as const]
  })
  const stale = staleOf(application, new Map(documented))
  return {
    ...NOTHING,
    files: new Map([...(project.changes.length > 0 ? [[PROJECT_FILE, project.text] as const] : []), ...stale]),
    changes: [...project.changes.map(reason => ({ file: PROJECT_FILE, reason })), ...[...stale.keys()].map(file => ({ file, reason: STALE }))],
  }
}

function namingProblems({ name, deployment }: FunctionFacts): SyncPlan['problems'] {
  if (deployment === undefined) return []
  const said = `${deployment.package}/${deployment.function}`
  if (said === name) return []
  return [{ file: `packages/${name}/index.ts`, reason: `is named ${said}, and its folder is ${name}`, fix: 'Make them the same' }]
}

// What a build leaves behind, and git does not have.
const LEFT_BEHIND = new Set(['dist', '.include', '__deployer__.zip', 'node_modules'])

/** Whether a function has neither a folder with anything in it nor a file of its own. */
function isGone(application: string, name: string): boolean {
  const folder = join(application, 'packages', name)
  if (existsSync(folder)) return readdirSync(folder).every(entry => LEFT_BEHIND.has(entry))
  return globSync(`packages/${name}.*`, { cwd: application }).length === 0
}

/** @throws IndexError for two functions that document one variable differently. */
function settingsOf(mains: readonly Extract<FunctionFacts, { deployment: object }>[]): DocumentedSettings {
  const settings: Record<string, DocumentedSettings[string]> = {}
  const first = new Map<string, string>()
  for (const { name, documentation } of mains) {
    for (const [variable, documented] of Object.entries(documentation)) {
      const other = first.get(variable)
      if (other !== undefined && !isDeepStrictEqual(settings[variable], documented)) {
        const reason = `documents ${variable} otherwise than packages/${other}/index.ts does`
        throw new IndexError({ file: `packages/${name}/index.ts`, reason, fix: 'Let both read the same group of settings' })
      }
      first.set(variable, name)
      settings[variable] = documented
    }
  }
  return settings
}

function staleOf(application: string, wanted: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...wanted].filter(([path, text]) => !isSameText(textOf(join(application, path)), text)))
}

function textOf(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

// A checkout may have line ends of Windows.
function isSameText(present: string | undefined, wanted: string): boolean {
  return present?.replaceAll('\r\n', '\n') === wanted.replaceAll('\r\n', '\n')
}
