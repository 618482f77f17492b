import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { planUpgrade, type Plan } from './plan.ts'
import { hashOf, isRecord, readRecord, recordFiles, recordIn, TEXTS, unrecordedIn, type FrameworkRecord, type RecordedVersion } from './record.ts'
import { isRepository, openSource, repositoryIn } from './source.ts'
import type { Tree, TreeFile } from './tree.ts'

// Paths in an error.
const MOST_NAMED = 5

export interface UpgradeOptions {
  /** The folder of the application. */
  readonly folder: string
  /** The version to take. A folder and an archive know theirs. */
  readonly from: string | undefined
  /** Where it is taken from. Default: the repository that the record or package.json names. */
  readonly source: string | undefined
  /** Where the version is that the application was made from, in place of the record. */
  readonly base: string | undefined
}

export interface PreparedUpgrade {
  readonly source: string
  readonly from: string
  readonly to: string
  /** What the source says of itself. */
  readonly released: string
  readonly plan: Plan
  readonly next: Tree
  /** The record of the new version. */
  readonly record: ReadonlyMap<string, TreeFile>
  readonly rules: FrameworkRecord
}

/**
 * Reads the new version and plans what it changes. Writes nothing.
 * @throws Error that says what is missing, and how to give it.
 */
export async function prepareUpgrade({ folder, from, ...given }: UpgradeOptions): Promise<PreparedUpgrade> {
  const own = readRecord(folder)
  const source = given.source ?? own?.record.repository ?? repositoryIn(manifestOf(folder))
  if (source === undefined)
    throw new Error('No repository is known: neither lib/framework.json nor package.json names one. Give --source <folder, archive or https URL>')
  if (existsSync(source) && realpathSync(source) === realpathSync(folder))
    throw new Error(`${source} is this application itself: name another version`)
  if (own === undefined && given.base === undefined)
    throw new Error('There is no lib/framework.json, which says what this copy was made from. Give --base <folder or archive of that version>')
  const next = await openSource({ source, version: from })
  const released = recordIn(next, source)
  if (released === undefined)
    throw new Error(`${source} has no lib/framework.json: it is no version of this framework, or one from before \`upgrade\``)
  requireWhole(next, released, source)
  const base =
    given.base === undefined ? own : recordedAs(await openSource({ source: given.base, version: undefined }), given.base, own?.record ?? released)
  if (base === undefined) throw new Error('There is no record')
  const to = from ?? released.version
  const planFor = (recorded: RecordedVersion) => planUpgrade({ folder, base: recorded, next, version: to, rules: released })
  const plan = planFor(base)
  const completed = hasUnknownTexts(plan, base) && isRepository(source) ? await withTextsOf(source, base) : base
  return {
    source,
    from: base.record.version,
    to,
    released: released.version,
    plan: completed === base ? plan : planFor(completed),
    next,
    record: recordOf(next, to, released),
    rules: released,
  }
}

/** @throws Error for a part of a version: what it lacks would be deleted. */
function requireWhole(next: Tree, { files }: FrameworkRecord, source: string): void {
  const listed = Object.keys(files)
  if (listed.length === 0) throw new Error(`${source} is no version: its lib/framework.json lists no files. Take a released one`)
  const missing = listed.filter(path => !next.has(path))
  if (missing.length === 0) return
  const first = missing.slice(0, MOST_NAMED).join(', ')
  const rest = missing.length > MOST_NAMED ? ', …' : ''
  throw new Error(
    `${source} lacks ${missing.length} of the ${listed.length} files in its lib/framework.json: ${first}${rest}. Take the whole version`,
  )
}

/** The record that the version has, unless it is of other files: then what was taken is recorded, to be the next base. */
function recordOf(next: Tree, version: string, released: FrameworkRecord): ReadonlyMap<string, TreeFile> {
  const isReleased = released.version === version && next.has(TEXTS) && unrecordedIn(next, released).length === 0
  return isReleased ? new Map([...next].filter(([path]) => isRecord(path))) : recordFiles(next, version, released)
}

function manifestOf(folder: string): string | undefined {
  const file = join(folder, 'package.json')
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

/** The record that a version would have, from its files. */
function recordedAs(tree: Tree, place: string, rules: FrameworkRecord): RecordedVersion {
  const version = recordIn(tree, place)?.version ?? 'an unknown version'
  return { record: { ...rules, version, files: Object.fromEntries([...tree].map(([path, file]) => [path, hashOf(file)])) }, files: tree }
}

/** Whether a file of the framework is changed on both sides: the record has its hash alone. */
function hasUnknownTexts(plan: Plan, { record, files }: RecordedVersion): boolean {
  return [...plan].some(([path, { outcome }]) => outcome === 'conflict' && path in record.files && !files.has(path))
}

/** Takes the texts that the record lacks from the recorded version in the repository, if that has it. */
async function withTextsOf(source: string, base: RecordedVersion): Promise<RecordedVersion> {
  const tree = await openSource({ source, version: base.record.version }).catch(() => undefined)
  if (tree === undefined) return base
  const found = [...tree].filter(([path, file]) => !base.files.has(path) && base.record.files[path] === hashOf(file))
  return { ...base, files: new Map([...base.files, ...found]) }
}
