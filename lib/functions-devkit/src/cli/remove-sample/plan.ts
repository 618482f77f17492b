import { existsSync, globSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { indexFiles, isGenerated } from '../../sync/index-files.ts'
import { planIndexes, planSync, writeFiles } from '../../sync/sync.ts'
import { removeImports } from './remove-imports.ts'

/** What belongs to the sample, as `lib/app/sample.json` lists it. */
export interface Sample {
  /** Files, and folders with a slash at their end. */
  readonly files: readonly string[]
  /** Texts to take out of files that stay, by file. */
  readonly texts: Readonly<Record<string, readonly string[]>>
}

export interface Removal {
  readonly deleted: readonly string[]
  /** What the files that stay hold then. */
  readonly changed: ReadonlyMap<string, string>
  /** Why the removal is not possible. */
  readonly problems: readonly string[]
}

const FILE = 'lib/app/sample.json'

/**
 * Reads the list of the sample.
 * @throws Error if there is none: the sample is gone.
 */
export function readSample(checkout: string): Sample {
  const file = join(checkout, FILE)
  if (!existsSync(file)) throw new Error(`There is no ${FILE}: the sample was removed before`)
  return JSON.parse(readFileSync(file, 'utf8')) as Sample
}

/** Finds out what the removal deletes and changes, and what prevents it. Changes nothing. */
export function planRemoval(checkout: string, sample: Sample): Removal {
  const deleted = sample.files.flatMap(path => filesIn(checkout, path))
  const isDeleted = new Set(deleted)
  const changed = new Map<string, string>()
  const problems: string[] = []
  const textOf = (path: string) => changed.get(path) ?? readFileSync(join(checkout, path), 'utf8')
  const sources = globSync(['lib/app/**/*.ts', 'packages/*/*/*.ts', 'test/**/*.ts'], { cwd: checkout }).filter(path => !isDeleted.has(path))
  for (const path of sources) {
    const before = textOf(path)
    // Written again, once the files that it lists are gone.
    if (isGenerated(before)) continue
    const { text, usedElsewhere } = removeImports(before, specifier => isDeleted.has(join(dirname(path), specifier)))
    problems.push(...usedElsewhere.map(({ name, line }) => `${path}:${line} uses ${name} of the sample: change it first`))
    if (text !== before) changed.set(path, text)
  }
  for (const [path, texts] of Object.entries(sample.texts)) {
    for (const text of texts) {
      const before = textOf(path)
      if (before.includes(text)) changed.set(path, before.replaceAll(text, ''))
      else problems.push(`${path} does not contain ${JSON.stringify(text)}`)
    }
  }
  return { deleted, changed, problems: [...problems, ...problemsOfIndexes(checkout)] }
}

function problemsOfIndexes(checkout: string): string[] {
  try {
    indexFiles(checkout)
    return []
  } catch (error) {
    return [(error as Error).message]
  }
}

/**
 * Changes and deletes what a plan says, and writes the generated files again.
 * @returns the generated files that have changed
 */
export async function applyRemoval(checkout: string, { deleted, changed }: Removal): Promise<string[]> {
  for (const [path, text] of changed) writeFileSync(join(checkout, path), text)
  for (const path of deleted) rmSync(join(checkout, path))
  const folders = [...new Set(deleted.map(path => dirname(path)))].sort((one, other) => other.length - one.length)
  for (const folder of folders) removeEmpty(join(checkout, folder))
  const indexes = planIndexes(checkout).files
  writeFiles(checkout, indexes)
  const { files } = await planSync(checkout)
  writeFiles(checkout, files)
  return [...indexes.keys(), ...files.keys()]
}

function filesIn(checkout: string, path: string): string[] {
  if (!existsSync(join(checkout, path))) return []
  if (!statSync(join(checkout, path)).isDirectory()) return [path]
  return readdirSync(join(checkout, path), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(checkout, join(entry.parentPath, entry.name)))
}

function removeEmpty(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length === 0) rmSync(folder, { recursive: true })
}
