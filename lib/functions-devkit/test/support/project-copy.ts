import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'

/** The root of this repository. */
export const ROOT = resolve(import.meta.dirname, '../../../..')

/** What the deployer looks at, short of the sources in lib/. */
const COPIED = ['project.yml', 'build.sh', 'packages', 'lib/build.sh', 'lib/zip'] as const

/** What a build or a deploy leaves, and a fresh checkout does not have. */
const LEFT_BEHIND: ReadonlySet<string> = new Set(['dist', '__deployer__.zip', '.deployed'])

/** A copy of our own project as it is checked out, in a folder of its own that goes when it is disposed of. */
export function copyProject() {
  const root = mkdtempSync(join(tmpdir(), 'project-copy-'))
  for (const path of COPIED) {
    cpSync(join(ROOT, path), join(root, path), { recursive: true, filter: source => !LEFT_BEHIND.has(basename(source)) })
  }
  return {
    root,
    text: readFileSync(join(root, 'project.yml'), 'utf8'),
    write: (path: string, text: string) => writeFileSync(join(root, path), text),
    [Symbol.dispose]: () => rmSync(root, { recursive: true }),
  }
}
