import { growthSince, type Composition, type Growth } from './composition.ts'
import { SIZES_FILE, type Sizes } from './sizes.ts'

/** How many bytes a function may have. */
export function ceilingOf(name: string, { functions, defaultCeiling }: Sizes): number {
  return functions[name]?.ceiling ?? defaultCeiling
}

/** A bundle over its ceiling, with the packages that have grown since its composition was recorded. */
export function sizeProblems(name: string, { bytes, composition, sizes }: { bytes: number; composition: Composition; sizes: Sizes }): string[] {
  const ceiling = ceilingOf(name, sizes)
  if (bytes <= ceiling) return []
  const recorded = sizes.functions[name]?.packages
  const growth = growthSince(recorded, composition)
  const grown = growth.length > 0 ? growth.map(describeGrowth).join(', ') : 'nothing'
  const why = recorded === undefined ? `It is made of ${grown}` : `Grown since it was recorded: ${grown}`
  return [
    `has ${bytes} bytes, ${bytes - ceiling} over its ceiling of ${ceiling}. ${why}. Make it smaller; or raise its ceiling in ${SIZES_FILE}, then npm run build -- --record`,
  ]
}

function describeGrowth({ name, before, now }: Growth): string {
  return before === undefined ? `${name} ${now} (new)` : `${name} +${now - before} (${before} → ${now})`
}
