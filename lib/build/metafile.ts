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
