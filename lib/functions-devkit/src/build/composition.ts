import { type BundleOutput } from './metafile.ts'
import { packageOf } from './packages.ts'

/** Bytes that each npm package has in a bundle, the largest first. */
export type Composition = Readonly<Record<string, number>>

/** What is not in any npm package. */
const OWN_CODE = 'own code'
/** What esbuild itself puts around the modules. */
const GLUE = 'glue'
/** What is deployed beside the bundle. */
const OTHER_FILES = 'other files'

/** A package that has more bytes now than when the composition was recorded. */
export interface Growth {
  readonly name: string
  /** Undefined for a package that was not there. */
  readonly before: number | undefined
  readonly now: number
}

/** Adds up by npm package what is deployed of a function: its bundle, and the rest of `deployedBytes`. */
export function compositionOf({ bytes, inputs }: BundleOutput, deployedBytes: number): Composition {
  const sums = new Map<string, number>()
  const add = (name: string, more: number) => sums.set(name, (sums.get(name) ?? 0) + more)
  for (const [path, { bytesInOutput }] of Object.entries(inputs)) add(packageOf(path)?.name ?? OWN_CODE, bytesInOutput)
  add(GLUE, bytes - [...sums.values()].reduce((sum, one) => sum + one, 0))
  add(OTHER_FILES, deployedBytes - bytes)
  const filled = [...sums].filter(([, sum]) => sum > 0)
  return Object.fromEntries(filled.sort(([one, before], [other, after]) => after - before || one.localeCompare(other)))
}

/** The packages that have grown or come, the largest growth first. */
export function growthSince(recorded: Composition | undefined, now: Composition): Growth[] {
  const grownBy = ({ before = 0, now }: Growth) => now - before
  return Object.entries(now)
    .map(([name, bytes]): Growth => ({ name, before: recorded?.[name], now: bytes }))
    .filter(growth => grownBy(growth) > 0)
    .sort((one, other) => grownBy(other) - grownBy(one))
}
