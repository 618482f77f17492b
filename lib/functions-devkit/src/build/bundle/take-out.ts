import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { type Plugin } from 'esbuild'

export interface TakeOutOptions {
  readonly checkout: string
  /** Packages that have a file of their own; `package=own.cjs` where that is to begin with a file of ours. */
  readonly parts: readonly string[]
  /** `package/file.js=own.cjs`: files below node_modules, and those of ours that take their place. */
  readonly standIns: readonly string[]
}

const ASKED = Symbol('asked')

/** The file of a part, beside the bundle: `@a/b` is `a-b`. */
export function nameOfPart(part: string): string {
  return part.replace('@', '').replaceAll('/', '-')
}

/**
 * Has bundles ask for parts by their files, and for stand-ins in place of what they stand in for.
 * @throws Error when there is no such file any more, as when a package has changed.
 */
export function takeOut({ checkout, parts, standIns }: TakeOutOptions): Plugin {
  const entries = entriesOf({ checkout, parts })
  const names = [...entries.keys()]
  const replaced = new Map(
    standIns.map(one => {
      const [of = '', by = ''] = one.split('=')
      return [realpathSync(join(checkout, 'node_modules', of)), realpathSync(join(checkout, by))]
    }),
  )
  const ours = new Set(replaced.values())
  const filter = mayNeed(names, standIns)
  return {
    name: 'take-out',
    setup(build) {
      build.onResolve({ filter }, async ({ path, importer, resolveDir, kind, pluginData }) => {
        if (pluginData === ASKED || kind === 'entry-point') return undefined
        // A stand-in gets the real one, and so does what a part begins with.
        if (entries.get(path) === importer) return undefined
        const found = ours.has(importer)
          ? undefined
          : replaced.get((await build.resolve(path, { importer, resolveDir, kind, pluginData: ASKED })).path)
        if (found !== undefined) return { path: found }
        return entries.has(path) ? { path: `./${nameOfPart(path)}.js`, external: true } : undefined
      })
    },
  }
}

/** The parts by name, with the file of ours that each begins with, if there is one. */
function entriesOf({ checkout, parts }: Pick<TakeOutOptions, 'checkout' | 'parts'>): Map<string, string | undefined> {
  return new Map(
    parts.map(one => {
      const [name = '', entry] = one.split('=')
      return [name, entry === undefined ? undefined : realpathSync(join(checkout, entry))]
    }),
  )
}

/** The names of parts. */
export function namesOfParts(parts: readonly string[]): string[] {
  return parts.map(one => one.split('=')[0] ?? '')
}

// esbuild asks only for what this matches: to be asked for every import would make a build four times as long.
function mayNeed(parts: readonly string[], standIns: readonly string[]): RegExp {
  const names = standIns.flatMap(one => {
    const path = (one.split('=')[0] ?? '').split('/')
    const file = (path.at(-1) ?? '').replace(/\.js$/, '')
    // A package is asked for by its own name, a folder's index by the folder's.
    return [file, ...(file === 'index' ? [path.at(-2) ?? ''] : []), path[0] ?? '']
  })
  return new RegExp(`^(?:${parts.map(escaped).join('|')})$|(?:^|/)(?:\\.{1,2}|${[...new Set(names)].map(escaped).join('|')})(?:\\.js)?/?$`)
}

function oneOf(parts: readonly string[]): RegExp {
  return new RegExp(`^(?:${parts.map(escaped).join('|')})$`)
}

function escaped(text: string): string {
  return text.replaceAll(/[^\w@/-]/g, '\\$&')
}

/** Lets a part be an entry: the package as `require` finds it, or the file of ours that it begins with. */
export function partFiles({ checkout, parts }: Pick<TakeOutOptions, 'checkout' | 'parts'>): Plugin {
  const entries = entriesOf({ checkout, parts })
  return {
    name: 'part-files',
    setup(build) {
      build.onResolve({ filter: oneOf([...entries.keys()]) }, ({ path, kind }) => {
        if (kind !== 'entry-point') return undefined
        const entry = entries.get(path)
        if (entry !== undefined) return { path: entry }
        return build.resolve(path, { resolveDir: checkout, kind: 'require-call', pluginData: ASKED })
      })
    },
  }
}
