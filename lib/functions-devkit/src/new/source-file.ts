import { existsSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

/** Something that a file imports. */
export interface Import {
  /** As it stands in the braces, such as `type Migration`. */
  readonly name: string
  /** Below `lib/`, such as `functions-runtime/src/edge/reply.ts`; a file of the application begins with `/`; a package has no extension. */
  readonly from: string
}

/** A file to write. */
export interface NewFile {
  /** Seen from the application's folder. */
  readonly path: string
  readonly imports: readonly Import[]
  readonly text: string
}

/** Returns the texts of a source and of its test by path; without the test where the tests' support is missing. */
export function scaffoldFiles(
  { application, withTest }: { readonly application: string; readonly withTest: boolean },
  source: NewFile,
  test: NewFile,
): Record<string, string> {
  return Object.fromEntries([source, ...(withTest ? [test] : [])].map(file => [file.path, textOf(application, file)]))
}

/** Imports first. Workspaces are imported by their sources, or by their packages where there are none. */
function textOf(application: string, { path, imports, text }: NewFile): string {
  const byModule = new Map<string, string[]>()
  for (const { name, from } of imports) {
    const module = moduleOf({ application, path, from })
    byModule.set(module, [...(byModule.get(module) ?? []), name])
  }
  const lines = [...byModule].map(([module, names]) => importLine(module, names))
  return `${lines.join('')}\n${text}`
}

function importLine(module: string, names: readonly string[]): string {
  const [first = ''] = names
  if (first.startsWith('* as ')) return `import ${first} from '${module}'\n`
  const types = names.every(name => name.startsWith('type '))
  const inBraces = types ? names.map(name => name.slice('type '.length)) : names
  return `import ${types ? 'type ' : ''}{ ${inBraces.join(', ')} } from '${module}'\n`
}

function moduleOf({ application, path, from }: { application: string; path: string; from: string }): string {
  if (!from.endsWith('.ts')) return from
  if (!from.startsWith('/') && !existsSync(join(application, 'lib', from))) return from.slice(0, from.indexOf('/'))
  const target = from.startsWith('/') ? from.slice(1) : `lib/${from}`
  const relative = posix.relative(dirname(path), target)
  return relative.startsWith('.') ? relative : `./${relative}`
}
