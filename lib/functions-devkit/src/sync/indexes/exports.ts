import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
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
 * @throws Error for a file without an entry, two entries of one name, and an entry that has the name of the list.
 */
export function entriesOf(kind: IndexKind, application: string): Entry[] {
  const own = sourcesIn(application, kind.folder).flatMap(source => entriesOfFile(kind, source))
  const others = kind.alsoIn === undefined ? [] : sourcesIn(application, kind.alsoIn).flatMap(source => namedEntries(kind, source))
  const entries = [...own, ...others].sort((one, other) => compare(one.place, other.place))
  for (const [index, { name, path }] of entries.entries()) {
    if ([kind.list, kind.type?.name].includes(name)) throw new Error(`${path} exports ${name}, which is a name of the index itself: rename it`)
    const double = entries.slice(0, index).find(entry => entry.name === name)
    if (double !== undefined) throw new Error(`${double.path} and ${path} both export ${name}: rename one of them`)
  }
  return entries
}

function entriesOfFile(kind: IndexKind, source: Source): Entry[] {
  const { path } = source
  const found = declarationsIn(kind, source).map(({ name, isList }) => ({ name, path, place: placeOf(path), isList }))
  if (found.length === 0) {
    throw new Error(`${path} exports no ${kind.entry}: write \`${kind.form}\` at the beginning of a line, or move the file to another folder`)
  }
  if (kind.shape === 'by file' && found.length > 1) {
    throw new Error(`${path} exports more than one ${kind.entry}, and its name is that of one: write a file for each`)
  }
  return found
}

/** Entries beside those of another kind. */
function namedEntries(kind: IndexKind, source: Source): Entry[] {
  const { path, text } = source
  return declarationsIn(kind, source).map(({ name, isList, start, end }) => {
    if (isList) throw new Error(`${path}: ${name} is a list, which has no place of its own: export each ${kind.entry} by itself`)
    const [, , place] = /\bname:\s*(['"`])(.+?)\1/.exec(text.slice(start, end)) ?? []
    if (place === undefined)
      throw new Error(`${path}: ${name} has no name in quotes, by which it is ordered: write one, such as name: '2027-01-31-0930-orders'`)
    return { name, path, place, isList }
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
