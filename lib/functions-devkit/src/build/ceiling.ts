import { growthSince, type Composition, type Growth } from './composition.ts'
import { SIZES_FILE, type Sizes } from './sizes.ts'

/** Returns the bytes that a function may have: its own ceiling, or the size from which the build warns. */
export function ceilingOf(name: string, { functions, warnAbove }: Sizes): number {
  return functions[name]?.ceiling ?? warnAbove
}

/** What is said of a bundle's size: a ceiling that was set for the function fails the build, the general one warns. */
export interface SizeFindings {
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

/** Compares a bundle with its ceiling, and names the packages that have grown since its composition was recorded. */
export function judgeSize(name: string, { bytes, composition, sizes }: { bytes: number; composition: Composition; sizes: Sizes }): SizeFindings {
  const ceiling = ceilingOf(name, sizes)
  if (bytes <= ceiling) return { problems: [], warnings: [] }
  const { ceiling: own, packages: recorded } = sizes.functions[name] ?? {}
  const growth = growthSince(recorded, composition)
  const grown = growth.length > 0 ? growth.map(describeGrowth).join(', ') : 'nothing'
  const why = recorded === undefined ? `It is made of ${grown}` : `Grown since it was recorded: ${grown}`
  const size = `has ${bytes} bytes, ${bytes - ceiling} over`
  if (own !== undefined) {
    return {
      problems: [`${size} its ceiling of ${own}. ${why}. Make it smaller; or raise its ceiling in ${SIZES_FILE}, then npm run build -- --record`],
      warnings: [],
    }
  }
  return {
    problems: [],
    warnings: [`${size} the ${ceiling} that 256 MB of memory take well. ${why}. Make it smaller; or set a ceiling for it in ${SIZES_FILE}`],
  }
}

function describeGrowth({ name, before, now }: Growth): string {
  return before === undefined ? `${name} ${now} (new)` : `${name} +${now - before} (${before} → ${now})`
}
