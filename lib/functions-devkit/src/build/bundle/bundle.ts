import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build, type BuildOptions, type Metafile, type OutputFile, type Plugin } from 'esbuild'
import { writeIncludeFiles } from './include-files.ts'
import { installedOnly, nameOfPart, partFiles, takeOut, type TakeOutOptions } from './take-out.ts'

export interface BundleOptions extends TakeOutOptions {
  /** `packages/<package>/<function>/index.ts`. */
  readonly entries: readonly string[]
  /** Packages that are neither in the bundles nor beside them. */
  readonly absent: readonly string[]
  /** Where the bundles go; by default they lie beside their sources. */
  readonly outdir?: string
  /** Not made small. */
  readonly readable?: boolean
}

/**
 * Bundles every entry into `dist/index.js` beside it, and puts the parts that it may ask for there too. Returns what
 * esbuild tells of them all.
 * @throws what esbuild throws; it has printed the reasons.
 */
export async function bundle(given: BundleOptions): Promise<Metafile> {
  const options = installedOnly(given)
  const parts = await buildParts(options)
  const built = await build(entryOptions(options, parts))
  return { ...built.metafile, inputs: { ...parts.metafile.inputs, ...built.metafile.inputs }, outputs: outputsOf(built.metafile, parts) }
}

/** The parts of all bundles, built but not yet placed. */
export interface Parts {
  readonly metafile: Metafile
  readonly files: ReadonlyMap<string, OutputFile>
}

/** Returns what entries and parts are built with. */
export function common({ checkout, parts, absent, standIns, readable = false }: BundleOptions) {
  return {
    absWorkingDir: checkout,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    minify: !readable,
    // The log shows the names of error classes.
    keepNames: true,
    // import() of a part becomes a require: both runtimes have loaded the bundle in a way of their own, and this is the same in both.
    supported: { 'dynamic-import': false },
    external: [...absent],
    metafile: true,
    logLevel: 'warning',
    plugins: [takeOut({ checkout, parts, standIns })],
  } satisfies BuildOptions
}

/** Builds every part once, in memory. */
export async function buildParts(options: BundleOptions): Promise<Parts> {
  const shared = common(options)
  const built = await build({
    ...shared,
    entryPoints: options.parts.map(({ name }) => ({ in: name, out: nameOfPart(name) })),
    outdir: 'parts',
    write: false,
    plugins: [partFiles(options), ...shared.plugins],
  })
  const files = built.outputFiles.map((file): [string, OutputFile] => [`./${file.path.split('/').at(-1) ?? ''}`, file])
  return { metafile: built.metafile, files: new Map(files) }
}

function entryOptions(options: BundleOptions, parts: Parts) {
  const { checkout, entries, outdir = '.' } = options
  const shared = common(options)
  const placeParts: Plugin = {
    name: 'place-parts',
    setup(building) {
      building.onEnd(({ metafile }) => {
        const placed = partsOf(metafile, parts)
        for (const [path, part] of placed) {
          mkdirSync(dirname(join(checkout, path)), { recursive: true })
          writeFileSync(join(checkout, path), part.contents)
        }
        // A failed build has no metafile, and keeps the lists of the last one.
        if (metafile !== undefined && outdir === '.') writeIncludeFiles(checkout, [...Object.keys(metafile.outputs), ...placed.keys()])
      })
    },
  }
  return {
    ...shared,
    entryPoints: [...entries],
    outbase: '.',
    outdir,
    entryNames: '[dir]/dist/[name]',
    plugins: [...shared.plugins, placeParts],
  } satisfies BuildOptions
}

/** The parts that each bundle may ask for, and those that these may ask for, by where they go. */
export function partsOf(metafile: Metafile | undefined, parts: Parts): Map<string, OutputFile> {
  const found = new Map<string, OutputFile>()
  const look = (folder: string, imports: readonly { readonly path: string; readonly external?: boolean }[]): void => {
    for (const { path, external } of imports) {
      const part = external ? parts.files.get(path) : undefined
      if (part === undefined || found.has(join(folder, path))) continue
      found.set(join(folder, path), part)
      look(folder, parts.metafile.outputs[join('parts', path)]?.imports ?? [])
    }
  }
  for (const [output, { imports }] of Object.entries(metafile?.outputs ?? {})) look(dirname(output), imports)
  return found
}

function outputsOf(metafile: Metafile, parts: Parts): Metafile['outputs'] {
  const placed = [...partsOf(metafile, parts).keys()].map(path => [path, parts.metafile.outputs[join('parts', path.split('/').at(-1) ?? '')]])
  return { ...metafile.outputs, ...(Object.fromEntries(placed) as Metafile['outputs']) }
}
