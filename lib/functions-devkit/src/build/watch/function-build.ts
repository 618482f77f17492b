import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { context, formatMessages, type BuildResult, type Message, type OutputFile } from 'esbuild'
import { common, partsOf, type BundleOptions, type Parts } from '../bundle/bundle.ts'
import { keepVersions } from './versions.ts'

/** What a rebuild of one function came to. */
export type Outcome =
  | { readonly outcome: 'new' | 'same'; readonly warnings: string }
  /** What is wrong, with file, line and excerpt. */
  | { readonly outcome: 'failed'; readonly text: string }

/** The build of one function, whose esbuild context reads again only what has changed. */
export interface FunctionBuild {
  /** `package/function`. */
  readonly name: string
  rebuild(): Promise<Outcome>
  /** Files that the function consists of, as far as its builds have seen them. */
  inputs(): ReadonlySet<string>
  end(): Promise<void>
}

type Built = BuildResult<{ write: false; metafile: true }>

/**
 * Prepares the build of a function into versions with a source map. The names in the bundle stay as in the sources, for the
 * debugger; the parts are as deployed.
 */
export async function prepareBuild(
  entry: string,
  { options, parts, folder, colour }: { options: BundleOptions; parts: Parts; folder: string; colour: boolean },
): Promise<FunctionBuild> {
  const { checkout } = options
  const [, name = ''] = /^packages\/(.+)\/index\.ts$/.exec(entry) ?? []
  const versions = keepVersions({ checkout, name, folder })
  const building = await context({
    ...common({ ...options, readable: true }),
    entryPoints: [entry],
    outbase: '.',
    outdir: '.',
    entryNames: '[dir]/dist/[name]',
    write: false,
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'silent',
  })
  let inputs = new Set([join(checkout, entry)])

  async function written(messages: Message[], kind: 'error' | 'warning'): Promise<string> {
    return (await formatMessages(messages, { kind, color: colour, terminalWidth: 100 })).join('').trimEnd()
  }

  function take({ metafile, outputFiles }: Built): boolean {
    inputs = new Set([...Object.keys(metafile.inputs).map(path => resolve(checkout, path)), ...versions.includedFiles()])
    const root = join(checkout, 'packages', name)
    const made = outputFiles.map(({ path, contents }) => [path, path.endsWith('.map') ? withAbsoluteSources(path, contents) : contents] as const)
    const placed = [...partsOf(metafile, parts)].map(([path, { contents }]: [string, OutputFile]) => [join(checkout, path), contents] as const)
    return versions.publish(new Map([...made, ...placed].map(([path, contents]) => [path.slice(root.length + 1), contents] as const)))
  }

  return {
    name,
    inputs: () => inputs,
    end: () => building.dispose(),
    async rebuild() {
      try {
        const built = await building.rebuild()
        const warnings = await written(built.warnings, 'warning')
        return { outcome: take(built) ? 'new' : 'same', warnings }
      } catch (error) {
        const { errors } = error as { errors?: Message[] }
        if (errors === undefined) return { outcome: 'failed', text: (error as Error).message }
        // A file that is new and wrong is in no list of a build that succeeded.
        for (const { location } of errors) if (location) inputs.add(resolve(checkout, location.file))
        return { outcome: 'failed', text: await written(errors, 'error') }
      }
    },
  }
}

/** A version is read in another place than the one it was built for, and from there the sources lie elsewhere. */
function withAbsoluteSources(path: string, contents: Uint8Array): Uint8Array {
  const map = JSON.parse(Buffer.from(contents).toString()) as { sources: string[] }
  const sources = map.sources.map(source => pathToFileURL(resolve(dirname(path), source)).href)
  return Buffer.from(JSON.stringify({ ...map, sources }))
}
