import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { REPOSITORY } from './tested-application.ts'

export interface Cruised {
  readonly modules: readonly { readonly source: string; readonly dependencies: readonly { readonly resolved: string }[] }[]
  readonly summary: { readonly violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[] }
}

/** What `npm run lint` runs. */
export const CRUISE_ARGUMENTS = ['--config', '.config/dependency-cruiser.js', 'lib', 'packages', 'test'] as const
export const CRUISE_PROGRAM = [join(REPOSITORY, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs'), ...CRUISE_ARGUMENTS] as const

/** Returns the imports of a checkout, and those that break a rule. */
export function cruise(folder: string): Cruised {
  const options = { cwd: folder, encoding: 'utf8', maxBuffer: 2 ** 28 } as const
  const { stdout, stderr } = spawnSync(process.execPath, [...CRUISE_PROGRAM, '--output-type', 'json'], options)
  if (stderr !== '') throw new Error(stderr)
  return JSON.parse(stdout) as Cruised
}
