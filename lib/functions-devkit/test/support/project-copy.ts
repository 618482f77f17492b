import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { copyFiles } from './checkout.ts'

/** What the deployer looks at, short of the sources in lib/. */
const COPIED = ['project.yml', 'build.sh', 'packages', 'lib/build.sh', 'lib/zip'] as const

const INCLUDE = 'dist/index.js\ndist/pg.js\n../../../lib/zip/package.json\n'

/** A copy of the project as it is checked out, in a folder of its own that goes when it is disposed of. */
export function copyProject() {
  const root = mkdtempSync(join(tmpdir(), 'project-copy-'))
  copyFiles(COPIED, root)
  // As a build writes it.
  for (const folder of globSync('packages/*/*', { cwd: root })) writeFileSync(join(root, folder, '.include'), INCLUDE)
  return {
    root,
    text: readFileSync(join(root, 'project.yml'), 'utf8'),
    write: (path: string, text: string) => writeFileSync(join(root, path), text),
    [Symbol.dispose]: () => rmSync(root, { recursive: true }),
  }
}
