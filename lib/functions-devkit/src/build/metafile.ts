import { readFileSync } from 'node:fs'

/** What esbuild writes down about a build, as far as it is looked at here. Paths are seen from the checkout. */
export interface Metafile {
  readonly inputs: Readonly<Record<string, { readonly imports: readonly { readonly path: string }[] }>>
  readonly outputs: Readonly<Record<string, BundleOutput>>
}

export interface BundleOutput {
  readonly bytes: number
  readonly inputs: Readonly<Record<string, BundleInput>>
}

export interface BundleInput {
  readonly bytesInOutput: number
}

/** Reads what `./build.sh --metafile=<file>` has written. */
export function readMetafile(file: string): Metafile {
  return JSON.parse(readFileSync(file, 'utf8')) as Metafile
}

/** A bundle and its parts in one. */
export interface Bundle extends BundleOutput {
  /** Seen from the function's folder. */
  readonly files: readonly string[]
}

/**
 * What was built of a function, its parts counted in.
 * @throws Error when nothing was.
 */
export function bundleOf(name: string, { outputs }: Metafile): Bundle {
  const folder = `packages/${name}/`
  if (outputs[`${folder}dist/index.js`] === undefined) throw new Error(`${name}: the build has made no ${folder}dist/index.js`)
  const built = Object.entries(outputs).filter(([path]) => path.startsWith(folder))
  const inputs: Record<string, BundleInput> = {}
  for (const [, output] of built) {
    for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
      inputs[path] = { bytesInOutput: bytesInOutput + (inputs[path]?.bytesInOutput ?? 0) }
    }
  }
  return { files: built.map(([path]) => path.slice(folder.length)), bytes: built.reduce((sum, [, { bytes }]) => sum + bytes, 0), inputs }
}
