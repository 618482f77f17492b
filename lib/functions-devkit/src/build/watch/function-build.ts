import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, formatMessages, type BuildResult, type Message, type Metafile, type OutputFile } from 'esbuild'
import { common, partsOf, type BundleOptions, type Parts } from '../bundle/bundle.ts'
import { keepVersions, type Versions } from './versions.ts'

/** What a rebuild of one function came to. */
export type Outcome =
  | { readonly outcome: 'new' | 'same'; readonly warnings: string }
  /** What is wrong, with file, line and excerpt. */
  | { readonly outcome: 'failed'; readonly text: string }

/** The builds of functions into versions. Functions are named `package/function`. */
export interface FunctionBuilds {
  readonly names: readonly string[]
  /** Builds functions in one go, which takes half as long as one by one; where that fails one by one, so that a mistake holds back only those with it. */
  rebuild(names: readonly string[]): Promise<ReadonlyMap<string, Outcome>>
  /** Returns the files that a function consists of, as far as its builds have seen them. */
  inputs(name: string): ReadonlySet<string>
}

export interface FunctionBuildsOptions {
  readonly options: BundleOptions
  readonly parts: Parts
  /** For the versions. */
  readonly folder: string
  /** Whether mistakes are written in colour. */
  readonly colour: boolean
}

type Built = BuildResult<{ write: false; metafile: true }>

const NAME = /^packages\/(.+)\/index\.ts$/

/**
 * Prepares the builds of functions into versions with a source map. The names in a bundle stay as in the sources, for the debugger;
 * the parts are as deployed. esbuild's contexts are of no use here: with the plugin, a rebuild takes as long as a build.
 */
export function prepareBuilds({ options, parts, folder, colour }: FunctionBuildsOptions): FunctionBuilds {
  const { checkout, entries } = options
  const names = entries.map(entry => NAME.exec(entry)?.[1] ?? entry)
  const versions = new Map(names.map(name => [name, keepVersions({ checkout, name, folder })]))
  const inputs = new Map(names.map(name => [name, new Set([join(checkout, entryOf(name))])]))

  async function buildTogether(chosen: readonly string[]): Promise<Map<string, Outcome>> {
    const built = await build({
      ...common({ ...options, readable: true }),
      entryPoints: chosen.map(entryOf),
      outbase: '.',
      outdir: '.',
      entryNames: '[dir]/dist/[name]',
      write: false,
      sourcemap: 'linked',
      sourcesContent: false,
      logLevel: 'silent',
    })
    const warnings = await written(built.warnings, 'warning')
    return new Map(chosen.map(name => [name, { outcome: take(built, name, versions.get(name)) ? 'new' : 'same', warnings }]))
  }

  async function written(messages: Message[], kind: 'error' | 'warning'): Promise<string> {
    return (await formatMessages(messages, { kind, color: colour, terminalWidth: 100 })).join('').trimEnd()
  }

  function take({ metafile, outputFiles }: Built, name: string, into: Versions | undefined): boolean {
    if (into === undefined) throw new Error(`${name} is none of the functions`)
    inputs.set(name, new Set([...filesBehind(entryOf(name), metafile).map(path => resolve(checkout, path)), ...into.includedFiles()]))
    const root = join(checkout, 'packages', name)
    const isOwn = (path: string) => path.startsWith(`${root}/`)
    const made = outputFiles
      .filter(({ path }) => isOwn(path))
      .map(({ path, contents }) => [path, path.endsWith('.map') ? withAbsoluteSources(path, contents) : contents] as const)
    const placed = [...partsOf(metafile, parts)]
      .map(([path, { contents }]: [string, OutputFile]) => [join(checkout, path), contents] as const)
      .filter(([path]) => isOwn(path))
    return into.publish(new Map([...made, ...placed].map(([path, contents]) => [path.slice(root.length + 1), contents] as const)))
  }

  async function buildAlone(name: string): Promise<Outcome> {
    try {
      return (await buildTogether([name])).get(name) ?? { outcome: 'same', warnings: '' }
    } catch (error) {
      return failed([name], error)
    }
  }

  async function failed(chosen: readonly string[], error: unknown): Promise<Outcome> {
    const { errors } = error as { errors?: Message[] }
    if (errors === undefined) return { outcome: 'failed', text: (error as Error).message }
    // A file that is new and wrong is in no list of a build that succeeded.
    for (const { location } of errors) if (location) for (const name of chosen) inputs.get(name)?.add(resolve(checkout, location.file))
    return { outcome: 'failed', text: await written(errors, 'error') }
  }

  return {
    names,
    inputs: name => inputs.get(name) ?? new Set(),
    async rebuild(chosen) {
      try {
        if (chosen.length > 1) return await buildTogether(chosen)
      } catch {
        // Which of them is wrong shows when each is built alone.
      }
      return new Map(await Promise.all(chosen.map(async name => [name, await buildAlone(name)] as const)))
    },
  }
}

function entryOf(name: string): string {
  return `packages/${name}/index.ts`
}

/** Returns the files that an entry imports, and those that these import, the entry included. */
function filesBehind(entry: string, { inputs }: Metafile): string[] {
  const found = new Set([entry])
  for (const path of found) for (const { path: imported } of inputs[path]?.imports ?? []) if (Object.hasOwn(inputs, imported)) found.add(imported)
  return [...found]
}

/** A version is read in another place than the one it was built for, and from there the sources lie elsewhere. */
function withAbsoluteSources(path: string, contents: Uint8Array): Uint8Array {
  const map = JSON.parse(Buffer.from(contents).toString()) as { sources: string[] }
  const sources = map.sources.map(source => pathToFileURL(resolve(dirname(path), source)).href)
  return Buffer.from(JSON.stringify({ ...map, sources }))
}
