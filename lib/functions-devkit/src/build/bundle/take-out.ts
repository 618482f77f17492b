import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { type Plugin } from 'esbuild'
import { installedFolder, userOf } from './installed.ts'
import { type Part, type StandIn } from './taken-out.ts'

export interface TakeOutOptions {
  readonly checkout: string
  readonly parts: readonly Part[]
  readonly standIns: readonly StandIn[]
}

const ASKED = Symbol('asked')

/** The file of a part, beside the bundle: `@a/b` is `a-b`. */
export function nameOfPart(part: string): string {
  return part.replace('@', '').replaceAll('/', '-')
}

/** Returns the options without the packages that the application does not have. */
export function installedOnly<Options extends TakeOutOptions>(options: Options): Options {
  const isInstalled = (name: string) => installedFolder(name, options.checkout) !== undefined
  return {
    ...options,
    parts: options.parts.filter(({ name }) => isInstalled(name)),
    standIns: options.standIns.filter(({ of }) => isInstalled(packageOf(of).name)),
  }
}

/**
 * Has bundles ask for parts by their files, and for stand-ins in place of what they stand in for.
 * @throws Error when there is no such file any more, as when a package has changed.
 */
export function takeOut({ checkout, parts, standIns }: TakeOutOptions): Plugin {
  const entries = entriesOf(parts)
  const names = [...entries.keys()]
  const replaced = new Map(
    standIns.map(({ of, by }) => {
      const { name, file } = packageOf(of)
      return [realpathSync(join(installedFolder(name, checkout) ?? name, file)), realpathSync(by)]
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
function entriesOf(parts: readonly Part[]): Map<string, string | undefined> {
  return new Map(parts.map(({ name, entry }) => [name, entry === undefined ? undefined : realpathSync(entry)]))
}

function packageOf(path: string): { readonly name: string; readonly file: string } {
  const [, name = '', file = ''] = /^((?:@[^/]+\/)?[^/]+)\/(.+)$/.exec(path) ?? []
  return { name, file }
}

// esbuild asks only for what this matches: to be asked for every import would make a build four times as long.
function mayNeed(parts: readonly string[], standIns: readonly StandIn[]): RegExp {
  const names = standIns.flatMap(({ of }) => {
    const path = of.split('/')
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
  const entries = entriesOf(parts)
  return {
    name: 'part-files',
    setup(build) {
      build.onResolve({ filter: oneOf([...entries.keys()]) }, ({ path, kind }) => {
        if (kind !== 'entry-point') return undefined
        const entry = entries.get(path)
        if (entry !== undefined) return { path: entry }
        return build.resolve(path, { resolveDir: userOf(path, checkout), kind: 'require-call', pluginData: ASKED })
      })
    },
  }
}
