import { existsSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { BROUGHT_BY } from './taken-out.ts'

/** Returns the folder of a package that an application uses, as it or the package that brings it along finds it; `undefined` without one. */
export function installedFolder(name: string, application: string): string | undefined {
  const found = pathsFrom(userOf(name, application), name).find(existsSync)
  return found === undefined ? undefined : realpathSync(found)
}

/** Returns the folder from which a package is imported: that of the package that brings it along, or else the application's. */
export function userOf(name: string, application: string): string {
  const bringer = BROUGHT_BY[name]
  return (bringer === undefined ? undefined : installedFolder(bringer, application)) ?? application
}

function pathsFrom(folder: string, name: string): string[] {
  return (createRequire(join(folder, 'package.json')).resolve.paths(name) ?? []).map(modules => join(modules, name))
}
