import { existsSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { entriesOf, placeOf, sourcesIn, type Entry } from './indexes/exports.ts'
import { INDEX_KINDS, type IndexKind, type NamedType } from './indexes/kinds.ts'

/** The first line of a generated index. */
export const GENERATED = '// Written by `npm run sync`; do not edit. Each file beside this one is listed by what it exports.'

// As prettier is set up in this repository.
const LINE_WIDTH = 150
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/

/**
 * Returns the text of each generated index, by its path in the application's folder. It reads source text and imports nothing of
 * the application, which may not load while an index is stale. A folder that does not exist has no index. An index that is written
 * by hand, as its first line tells, is left out.
 * @throws IndexError when a file of such a folder exports nothing for the index, and for two exports of one name.
 */
export function indexFiles(application: string): ReadonlyMap<string, string> {
  return new Map(
    INDEX_KINDS.flatMap(kind => {
      const text = existsSync(join(application, kind.folder)) ? indexText(kind, application) : undefined
      return text === undefined ? [] : [[pathOfIndex(kind), text] as const]
    }),
  )
}

/** Returns the text of one index, or undefined when it is written by hand. */
export function indexText(kind: IndexKind, application: string): string | undefined {
  const present = textOfIndex(kind, application)
  if (present !== undefined && !isGenerated(present)) return undefined
  const entries = entriesOf(kind, application)
  const { list, type } = kind
  const typeImport = type === undefined ? [] : [`import type { ${type.name} } from '${moduleOf(type, kind, application)}'`]
  const annotation = type === undefined ? '' : `: readonly ${type.name}[]`
  const imports = [...importsOf(entries, kind), ...typeImport]
  return `${[GENERATED, ...imports].join('\n')}${imports.length > 0 ? '\n' : ''}\nexport const ${list}${annotation} = ${valueOf(entries, kind)}\n`
}

/** Whether `npm run sync` writes a file. Another version may continue the line in other words. */
export function isGenerated(text: string): boolean {
  return text.startsWith('// Written by `npm run sync`')
}

export function pathOfIndex({ folder }: IndexKind): string {
  return `${folder}/index.ts`
}

/** Returns the module that the files of an application import a type from. */
export function moduleOf({ importedWith, source }: NamedType, kind: IndexKind, application: string): string {
  // All of these folders are equally deep.
  const folders = [kind.folder, ...(kind.alsoIn === undefined ? [] : [kind.alsoIn])]
  const texts = [...folders.flatMap(folder => sourcesIn(application, folder).map(({ text }) => text)), textOfIndex(kind, application) ?? '']
  const pattern = new RegExp(String.raw`^import (?:type )?\{[^}]*\b${importedWith}\b[^}]*\} from ['"]([^'"]+)['"]`, 'm')
  const [found] = texts.flatMap(text => pattern.exec(text)?.[1] ?? [])
  if (found !== undefined) return found
  const isHere = existsSync(join(application, 'lib', source))
  return isHere ? posix.relative(kind.folder, `lib/${source}`) : source.slice(0, source.indexOf('/'))
}

function textOfIndex(kind: IndexKind, application: string): string | undefined {
  const file = join(application, pathOfIndex(kind))
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

function importsOf(entries: readonly Entry[], { folder }: IndexKind): string[] {
  return [...Map.groupBy(entries, ({ path }) => path)].map(([path, ofFile]) => {
    const names = ofFile.map(({ name }) => name)
    const relative = posix.relative(folder, path)
    const from = `} from '${relative.startsWith('.') ? relative : `./${relative}`}'`
    const line = `import { ${names.join(', ')} ${from}`
    return line.length <= LINE_WIDTH || names.length === 1 ? line : `import {\n${names.map(name => `  ${name},\n`).join('')}${from}`
  })
}

function valueOf(entries: readonly Entry[], { shape, comment }: IndexKind): string {
  // The comment keeps prettier from joining the lines of an array.
  if (shape === 'array') return `[\n  // ${comment}\n${entries.map(({ name, isList }) => `  ${isList ? '...' : ''}${name},\n`).join('')}]`
  if (entries.length === 0) return '{}'
  const properties = entries.map(({ name, path }) => (shape === 'object' ? name : propertyOf(placeOf(path), name)))
  return `{\n${properties.map(property => `  ${property},\n`).join('')}}`
}

function propertyOf(key: string, name: string): string {
  if (key === name) return name
  return `${IDENTIFIER.test(key) ? key : `'${key}'`}: ${name}`
}
