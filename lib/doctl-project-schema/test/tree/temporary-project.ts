import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { VALID_PROJECT } from '../valid-project.ts'

const INCLUDE = 'dist/index.js\n../../../lib/zip/package.json\n'

/** The tree that belongs to the valid project, before a build; a name that ends in a slash is an empty folder. */
export const VALID_TREE: Readonly<Record<string, string>> = {
  'project.yml': VALID_PROJECT,
  'build.sh': '#!/bin/bash\n',
  'lib/build.sh': '#!/bin/bash\nexec ../build.sh\n',
  'lib/zip/package.json': '{ "main": "dist/index.js", "type": "commonjs" }\n',
  ...Object.fromEntries(
    ['api/webhook', 'api/health', 'ops/migrate'].flatMap(name => [
      [`packages/${name}/index.ts`, 'export const main = () => ({})\n'],
      [`packages/${name}/.include`, INCLUDE],
    ]),
  ),
}

/** What the build adds to the valid tree. */
export const BUILT: Readonly<Record<string, string>> = Object.fromEntries(
  ['api/webhook', 'api/health', 'ops/migrate'].map(name => [`packages/${name}/dist/index.js`, 'module.exports = {}\n']),
)

/** Writes a tree into a new folder, which is removed when the returned object is disposed of. */
export function temporaryProject(tree: Readonly<Record<string, string | undefined>>) {
  const root = mkdtempSync(join(tmpdir(), 'project-tree-'))
  for (const [path, content] of Object.entries(tree)) {
    if (content === undefined) continue
    mkdirSync(join(root, path.endsWith('/') ? path : dirname(path)), { recursive: true })
    if (path.endsWith('/')) continue
    writeFileSync(join(root, path), content)
    if (path.endsWith('build.sh')) chmodSync(join(root, path), 0o755)
  }
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true }) }
}
