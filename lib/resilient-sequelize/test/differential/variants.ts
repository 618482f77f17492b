import type { Case } from './case.ts'

/** One way to run the package. */
export interface Variant {
  readonly name: string
  readonly profile: 'function' | 'server'
  readonly route: 'direct' | 'pooler'
  readonly build: 'sources' | 'bundle'
}

const PROFILES = ['function', 'server'] as const
const ROUTES = ['direct', 'pooler'] as const
const BUILDS = ['sources', 'bundle'] as const

/** All combinations; the first runs every case in each test run. */
export const variants: readonly Variant[] = BUILDS.flatMap(build =>
  ROUTES.flatMap(route => PROFILES.map(profile => ({ name: `profile ${profile}, ${route}, ${build}`, profile, route, build }))),
)

/** Outside of a full run each further variant gets one case of so many, each its own. */
const SPREAD = 32

/** The cases of a variant: all that can run there, or with `spread` a few of them. */
export function casesOf(variant: Variant, cases: readonly Case[], { full }: { full: boolean }): readonly Case[] {
  const position = variants.indexOf(variant)
  const chosen = full || position === 0 ? cases : cases.filter((_, index) => index % SPREAD === position)
  return chosen.filter(one => canRun(one, variant))
}

/** Whether a case can run in a variant. */
export function canRun({ only }: Case, { route, build }: Variant): boolean {
  return (only?.route ?? route) === route && (only?.build ?? build) === build
}
