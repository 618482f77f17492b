import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import * as z from 'zod/mini'
import { textOf, type Tree, type TreeFile } from './tree.ts'

/** Where a checkout says of which version it is: the record, and the texts of the files that both sides edit. */
export const RECORD = 'lib/framework.json'
export const TEXTS = 'lib/framework.base.br'

/** Paths of files, and of folders with a slash at their end. */
const paths = z.array(z.string())

// A record of another version may have more, which is kept, or less.
const recordSchema = z.looseObject({
  version: z.string(),
  /** The repository of the framework. Default: `repository` of package.json. */
  repository: z.optional(z.string()),
  /** What is the framework's: an edit in there is a conflict when the file changes. */
  framework: paths,
  /** What both sides edit, inside of the folders of the framework. */
  shared: z._default(paths, []),
  /** Which command writes a file, by its glob: it is not merged. */
  written: z._default(z.record(z.string(), z.string()), {}),
  /** Lines that are entries of a list, by the file, as a regular expression: those that both sides add at one place are kept. */
  lists: z._default(z.record(z.string(), z.string()), {}),
  /** Files with `files`, which are removed together. Without one of them, none of its files is added. */
  optional: z._default(paths, []),
  executable: z._default(paths, []),
  /** SHA-256 of each file as released, as base64url; of a text, with LF. */
  files: z.record(z.string(), z.string()),
})
// Bytes as base64.
const textsSchema = z.object({ texts: z.record(z.string(), z.string()), bytes: z.record(z.string(), z.string()) })

/** What `lib/framework.json` holds. */
export type FrameworkRecord = Readonly<z.infer<typeof recordSchema>>

/** A recorded version, with the files whose content the record has. */
export interface RecordedVersion {
  readonly record: FrameworkRecord
  readonly files: Tree
}

/** Returns whether a file is the framework's and not meant to be edited. */
export function isOfFramework({ framework, shared }: Pick<FrameworkRecord, 'framework' | 'shared'>, path: string): boolean {
  const isIn = (listed: string) => (listed.endsWith('/') ? path.startsWith(listed) : path === listed)
  return framework.some(isIn) && !shared.some(isIn)
}

/** Returns what tells a file from every other one, line ends aside. */
export function hashOf(file: TreeFile): string {
  return createHash('sha256')
    .update(textOf(file) ?? file.content)
    .digest('base64url')
}

/** Reads the record of a checkout, or returns undefined if it has none. */
export function readRecord(folder: string): RecordedVersion | undefined {
  const contentOf = (path: string) => (existsSync(join(folder, path)) ? readFileSync(join(folder, path)) : undefined)
  const record = parseRecord(contentOf(RECORD), folder)
  const texts = contentOf(TEXTS)
  // Without its texts a record still tells which files are changed.
  return record && { record, files: texts === undefined ? new Map() : parseTexts(texts, record, folder) }
}

/** Reads the record that is part of a version, or returns undefined if it has none. */
export function recordIn(tree: Tree, place: string): FrameworkRecord | undefined {
  return parseRecord(tree.get(RECORD)?.content, place)
}

function parseRecord(content: Buffer | undefined, place: string): FrameworkRecord | undefined {
  return content && parsed(recordSchema, `${place}/${RECORD}`, () => content.toString())
}

function parseTexts(texts: Buffer, record: FrameworkRecord, place: string): Tree {
  const stored = parsed(textsSchema, `${place}/${TEXTS}`, () => brotliDecompressSync(texts).toString())
  const contents = [
    ...Object.entries(stored.texts).map(([path, text]) => [path, Buffer.from(text)] as const),
    ...Object.entries(stored.bytes).map(([path, bytes]) => [path, Buffer.from(bytes, 'base64')] as const),
  ]
  const files = contents
    .map(([path, stood]) => [path, { content: stood, executable: record.executable.includes(path) }] as const)
    // A text of another version, after a merge of branches for instance, is no base.
    .filter(([path, file]) => record.files[path] === hashOf(file))
  return new Map(files)
}

function parsed<Schema extends z.core.$ZodType>(schema: Schema, place: string, textOfPlace: () => string): z.output<Schema> {
  try {
    return z.parse(schema, JSON.parse(textOfPlace()))
  } catch (cause) {
    const issue = cause instanceof z.core.$ZodError ? cause.issues[0] : undefined
    const reason = issue === undefined ? (cause as Error).message : `${issue.path.join('.')}: ${issue.message}`
    throw new Error(`${place} cannot be read (${reason}). Take the one of the version that your copy was made from`, { cause })
  }
}

/** Returns the files of a tree that are not as a record has them. */
export function unrecordedIn(tree: Tree, { files }: FrameworkRecord): string[] {
  const changed = [...tree].filter(([path, file]) => !isRecord(path) && files[path] !== hashOf(file)).map(([path]) => path)
  return [...changed, ...Object.keys(files).filter(path => !tree.has(path))].sort()
}

/** Returns whether a path is that of the record, which is no part of what it records. */
export function isRecord(path: string): boolean {
  return path === RECORD || path === TEXTS
}

/** Returns the two files that record a version: the files of `tree` under the rules of another record. */
export function recordFiles(tree: Tree, version: string, rules: FrameworkRecord): Map<string, TreeFile> {
  const released = [...tree].filter(([path]) => !isRecord(path)).sort(([one], [other]) => (one < other ? -1 : 1))
  const record: FrameworkRecord = {
    ...rules,
    version,
    executable: released.filter(([, { executable }]) => executable).map(([path]) => path),
    files: Object.fromEntries(released.map(([path, file]) => [path, hashOf(file)])),
  }
  // A file that a command writes is not merged, so it needs no text.
  const merged = released.filter(([path]) => !isOfFramework(record, path) && !(path in rules.written))
  const isText = ([, file]: readonly [string, TreeFile]) => textOf(file) !== undefined
  const contentsAs = (encoding: BufferEncoding, entries: typeof merged) =>
    Object.fromEntries(entries.map(([path, { content }]) => [path, content.toString(encoding)]))
  const texts = JSON.stringify({
    texts: contentsAs('utf8', merged.filter(isText)),
    bytes: contentsAs(
      'base64',
      merged.filter(entry => !isText(entry)),
    ),
  })
  return new Map([
    [RECORD, { content: Buffer.from(formatted(record)), executable: false }],
    [TEXTS, { content: compress(Buffer.from(texts)), executable: false }],
  ])
}

function compress(content: Buffer): Buffer {
  return brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS } })
}

/** As prettier has it, which puts a short list on one line. */
function formatted(record: FrameworkRecord): string {
  return `${JSON.stringify(record, null, 2).replaceAll(/\[[^[\]]*\]/g, list => {
    const line = list.replaceAll(/\s*\n\s*/g, ' ').replaceAll(/^\[ | \]$/g, bracket => bracket.trim())
    return line.length <= 120 ? line : list
  })}\n`
}
