import { existsSync, globSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { indexFiles, isGenerated } from '../../sync/index-files.ts'
import { removeImports } from './remove-imports.ts'

/** What belongs to the sample, as `lib/app/sample.json` lists it. */
export interface Sample {
  /** Files, and folders with a slash at their end. */
  readonly files: readonly string[]
  /** Functions in project.yml, by `package/function`. */
  readonly functions: readonly string[]
  /** Texts to take out of files that stay, by file. */
  readonly texts: Readonly<Record<string, readonly string[]>>
  /** Beginnings of lines to take out of files that stay, by file. */
  readonly lines: Readonly<Record<string, readonly string[]>>
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
  for (const name of sample.functions) {
    const text = withoutFunction(textOf('project.yml'), name)
    if (text === undefined) problems.push(`project.yml has no function ${name}`)
    else changed.set('project.yml', text)
  }
  for (const [path, texts] of Object.entries(sample.texts)) {
    for (const text of texts) {
      const before = textOf(path)
      if (before.includes(text)) changed.set(path, before.replaceAll(text, ''))
      else problems.push(`${path} does not contain ${JSON.stringify(text)}`)
    }
  }
  for (const [path, beginnings] of Object.entries(sample.lines)) {
    const lines = textOf(path).split(/(?<=\n)/)
    changed.set(path, lines.filter(line => !beginnings.some(beginning => line.startsWith(beginning))).join(''))
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

/** Changes and deletes what a plan says, and writes the generated indexes again. */
export function applyRemoval(checkout: string, { deleted, changed }: Removal): void {
  for (const [path, text] of changed) writeFileSync(join(checkout, path), text)
  for (const path of deleted) rmSync(join(checkout, path))
  const folders = [...new Set(deleted.map(path => dirname(path)))].sort((one, other) => other.length - one.length)
  for (const folder of folders) removeEmpty(join(checkout, folder))
  for (const [path, text] of indexFiles(checkout)) writeFileSync(join(checkout, path), text)
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

/** The project without the block of a function, or undefined if it has none. */
function withoutFunction(text: string, qualifiedName: string): string | undefined {
  const [packageName, name] = qualifiedName.split('/')
  const lines = text.split(/(?<=\n)/)
  const indentOf = (line = '') => /^ */.exec(line)?.[0].length ?? 0
  const inPackage = lines.findIndex(line => line.trim() === `- name: ${packageName}`)
  const start = lines.findIndex((line, index) => index > inPackage && line.trim() === `- name: ${name}`)
  if (inPackage === -1 || start === -1) return undefined
  const length = lines.slice(start + 1).findIndex(line => line.trim() !== '' && indentOf(line) <= indentOf(lines[start]))
  return lines.toSpliced(start, length === -1 ? lines.length : length + 1).join('')
}
