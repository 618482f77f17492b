import { existsSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

/** Something that a file imports. */
export interface Import {
  /** As it stands in the braces, such as `type Migration`. */
  readonly name: string
  /** Below `lib/`, such as `functions-runtime/src/edge/reply.ts`; a file of the application begins with `/`; a package has no extension. */
  readonly from: string
}

/** Returns the text of a new file, imports first. Workspaces are imported by their sources, or by their packages where there are none. */
export function sourceFile({
  application,
  path,
  imports,
  text,
}: {
  application: string
  path: string
  imports: readonly Import[]
  text: string
}): string {
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
