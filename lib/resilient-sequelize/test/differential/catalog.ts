import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Case, CaseBody, Limits } from './case.ts'

const FOLDER = join(import.meta.dirname, 'cases')

interface Group {
  readonly cases: Readonly<Record<string, CaseBody | { readonly only: Limits; readonly run: CaseBody }>>
}

/** Returns every case; the name of a file is the group of its cases. */
export async function loadCases(): Promise<readonly Case[]> {
  const files = readdirSync(FOLDER)
    .filter(file => file.endsWith('.js'))
    .toSorted()
  const groups = await Promise.all(files.map(async file => [basename(file, '.js'), (await load(file)).cases] as const))
  return groups.flatMap(([group, cases]) =>
    Object.entries(cases).map(([title, given]) => (typeof given === 'function' ? { group, title, run: given } : { group, title, ...given })),
  )
}

// Plain JavaScript, as applications and Sequelize's own manual write it: a cast for every mixin would hide the use.
async function load(file: string): Promise<Group> {
  return (await import(pathToFileURL(join(FOLDER, file)).href)) as Group
}
