import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { IndexError } from '../index-error.ts'
import type { IndexKind } from './kinds.ts'

/** Source text of an application. */
export interface Source {
  /** Seen from the application's folder. */
  readonly path: string
  readonly text: string
}

/** What an index lists. */
export interface Entry {
  readonly name: string
  readonly path: string
  /** Orders the entries. */
  readonly place: string
  /** Whether it is a list of entries itself. */
  readonly isList: boolean
}

/** Returns the files of a folder, without its index, by name. */
export function sourcesIn(application: string, folder: string): Source[] {
  const absolute = join(application, folder)
  if (!existsSync(absolute)) return []
  return readdirSync(absolute)
    .filter(name => name.endsWith('.ts') && !name.endsWith('.d.ts') && name !== 'index.ts')
    .sort((one, other) => compare(placeOf(one), placeOf(other)))
    .map(name => ({ path: `${folder}/${name}`, text: readFileSync(join(absolute, name), 'utf8') }))
}

/**
 * Returns what the index of a kind has to list, in its order.
 * @throws IndexError for a file without an entry, two entries of one name, and an entry that has the name of the list.
 */
export function entriesOf(kind: IndexKind, application: string): Entry[] {
  const own = sourcesIn(application, kind.folder).flatMap(source => entriesOfFile(kind, source))
  const others = kind.alsoIn === undefined ? [] : sourcesIn(application, kind.alsoIn).flatMap(source => namedEntries(kind, source))
  const entries = [...own, ...others].sort((one, other) => compare(one.place, other.place))
  const paths = new Map<string, string>()
  for (const { name, path: file } of entries) {
    if ([kind.list, kind.type?.name].includes(name)) {
      throw new IndexError({ file, reason: `exports ${name}, which is a name of the index itself`, fix: 'Rename it' })
    }
    const other = paths.get(name)
    if (other !== undefined) throw new IndexError({ file, reason: `exports ${name}, as ${other} does`, fix: 'Rename one of the two' })
    paths.set(name, file)
  }
  return entries
}

function entriesOfFile(kind: IndexKind, source: Source): Entry[] {
  const { path: file } = source
  const { entry, form } = kind
  const found = declarationsIn(kind, source).map(({ name, isList }) => ({ name, path: file, place: placeOf(file), isList }))
  if (found.length === 0) {
    const fix = `Write \`${form}\` at the beginning of a line, or move the file to another folder`
    throw new IndexError({ file, reason: `exports no ${entry}`, fix })
  }
  if (kind.shape === 'by file' && found.length > 1) {
    throw new IndexError({ file, reason: `exports more than one ${entry}, and the file's name is that of one`, fix: 'Write a file for each' })
  }
  return found
}

/** Entries beside those of another kind. */
function namedEntries(kind: IndexKind, source: Source): Entry[] {
  const { path: file, text } = source
  const declarations = declarationsIn(kind, source)
  const mentioned = kind.mention === undefined ? 0 : [...text.matchAll(kind.mention)].length
  if (mentioned > declarations.length) {
    const fix = `Write \`${kind.form}\` at the beginning of a line`
    throw new IndexError({ file, reason: `has a ${kind.entry} that is not exported in the form that is found`, fix })
  }
  return declarations.map(({ name, isList, start, end }) => {
    if (isList)
      throw new IndexError({ file, reason: `exports ${name}, a list without a place of its own`, fix: `Export each ${kind.entry} by itself` })
    const [, , place] = /\bname:\s*(['"`])(.+?)\1/.exec(text.slice(start, end)) ?? []
    if (place !== undefined) return { name, path: file, place, isList }
    throw new IndexError({
      file,
      reason: `exports ${name} without a name in quotes, which orders it`,
      fix: "Write one: name: '2027-01-31-0930-orders'",
    })
  })
}

function declarationsIn({ declaration }: IndexKind, { text }: Source) {
  const exported = [...text.matchAll(/^export const ([\w$]+)/gm)]
  return exported.flatMap(({ 0: beginning, 1: name = '', index }, at) => {
    const pattern = new RegExp(declaration)
    pattern.lastIndex = index + beginning.length
    const [matched] = pattern.exec(text) ?? []
    return matched === undefined ? [] : [{ name, isList: matched.includes('[]'), start: index, end: exported[at + 1]?.index ?? text.length }]
  })
}

/** A file's name without its extension. */
export function placeOf(path: string): string {
  return basename(path, '.ts')
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other)
}
