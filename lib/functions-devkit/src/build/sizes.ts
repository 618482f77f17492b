import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type Composition } from './composition.ts'

/** What is written down of a function's size. */
export interface RecordedSize {
  /** The most bytes that the bundle may have: more fails the build. Set by hand, never by a command. */
  readonly ceiling?: number
  /** What the bundle was made of when it was last recorded. */
  readonly packages?: Composition
}

export interface Sizes {
  /** A function without a ceiling of its own may have more, with a warning. */
  readonly warnAbove: number
  /** By `package/function`. */
  readonly functions: Readonly<Record<string, RecordedSize>>
}

/** Where an application keeps the sizes of its functions, seen from the checkout. */
export const SIZES_FILE = 'lib/app/sizes.json'

// Bytes: what 256 MB of memory take well.
const WARN_ABOVE = 2_500_000

/** Reads what is written down. A file that is missing is an empty record. */
export function readSizes(file: string): Sizes {
  if (!existsSync(file)) return { warnAbove: WARN_ABOVE, functions: {} }
  return JSON.parse(readFileSync(file, 'utf8')) as Sizes
}

/** Writes down what the bundles are made of now. Ceilings stay; functions that are gone go. */
export function recordCompositions(file: string, compositions: ReadonlyMap<string, Composition>): void {
  const { warnAbove, functions } = readSizes(file)
  const recorded = [...compositions].map(([name, packages]): [string, RecordedSize] => {
    const { ceiling } = functions[name] ?? {}
    return [name, { ...(ceiling === undefined ? {} : { ceiling }), packages }]
  })
  writeFileSync(file, `${JSON.stringify({ warnAbove, functions: Object.fromEntries(recorded) }, undefined, 2)}\n`)
}
