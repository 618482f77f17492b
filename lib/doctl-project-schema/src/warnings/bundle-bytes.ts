import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { type Project } from '../schema/project.ts'
import { kindAt, walk } from '../tree/folder.ts'
import { readIncludeFile } from '../tree/include-file.ts'

/** The bytes that each function deploys, unpacked, as its .include names them; a function that is not built yet is left out. */
export function bundleBytes(root: string, project: Project): Record<string, number> {
  const sizes: [string, number][] = []
  for (const pkg of project.packages) {
    for (const { name } of pkg.functions ?? []) {
      const included = readIncludeFile(root, `packages/${pkg.name}/${name}`)
      const files = included.flatMap(({ path }) =>
        kindAt(root, path) === 'folder' ? walk(root, path).flatMap(entry => (entry.kind === 'file' ? [entry.path] : [])) : [path],
      )
      if (files.length === 0 || files.some(path => kindAt(root, path) !== 'file')) continue
      sizes.push([`${pkg.name}/${name}`, files.reduce((sum, path) => sum + lstatSync(join(root, path)).size, 0)])
    }
  }
  return Object.fromEntries(sizes)
}
