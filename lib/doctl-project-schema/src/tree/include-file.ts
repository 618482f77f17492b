import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { type Problem, treeProblem } from '../problem.ts'
import { archiveProblems } from './archive.ts'
import { BUILD_FOLDERS, entriesOf, kindAt, walk } from './folder.ts'
import { type IncludedPath } from './included-path.ts'

/** Whether the build has run: before it, what a build writes need not be there. */
export type Stage = 'before-build' | 'after-build'

/** The paths that the .include of a function's folder names; none when there is no such file. */
export function readIncludeFile(root: string, folder: string): IncludedPath[] {
  if (kindAt(root, `${folder}/.include`) !== 'file') return []
  return readFileSync(join(root, folder, '.include'), 'utf8')
    .split('\n')
    .flatMap((raw, index) => {
      const text = raw.trim()
      if (!text) return []
      const path = posix.join(folder, text).replace(/\/$/, '')
      const inFolder = path.startsWith(`${folder}/`)
      return [{ line: index + 1, text, path, archiveName: inFolder ? path.slice(folder.length + 1) : posix.basename(path) }]
    })
}

/** Whether a path is one that a build writes. */
export function isProduct({ path }: IncludedPath): boolean {
  return path.split('/').some(segment => BUILD_FOLDERS.has(segment))
}

/** What is wrong with the .include of one function's folder; the deployer reads it after the build. */
export function includeFileProblems(root: string, folder: string, stage: Stage): Problem[] {
  const names = new Set(entriesOf(root, folder).map(({ name }) => name))
  const file = `${folder}/.include`
  if (!names.has('.include')) return [treeProblem('include-missing', folder)]
  if (names.has('.ignore')) return [treeProblem('include-with-ignore', `${folder}/.ignore`)]
  if (kindAt(root, file) === 'folder') return [treeProblem('include-no-file', file)]
  if (kindAt(root, file) !== 'file') return []

  const included = readIncludeFile(root, folder)
  if (included.length === 0) return [treeProblem('include-empty', file)]
  const seen = new Set<string>()
  const problems = included.flatMap(entry => {
    const at = { detail: entry.text, position: { line: entry.line, column: 1 } }
    const code = pathProblem(root, folder, entry, stage)
    if (code) return [treeProblem(code, file, at)]
    if (seen.has(entry.archiveName)) return [treeProblem('include-collision', file, { ...at, detail: entry.archiveName })]
    seen.add(entry.archiveName)
    return []
  })
  return problems.length > 0 ? problems : archiveProblems(root, file, included)
}

function pathProblem(root: string, folder: string, entry: IncludedPath, stage: Stage) {
  const { path, text } = entry
  if (text.startsWith('#')) return 'include-comment'
  const inFolder = path.startsWith(`${folder}/`)
  const inLib = text.startsWith('../../../lib/') || text === '../../../lib'
  if (text.startsWith('/') || !(inFolder || (inLib && (path === 'lib' || path.startsWith('lib/'))))) return 'include-outside'
  if (inFolder && text.includes('..')) return 'include-detour'
  const kind = kindAt(root, path)
  if (kind === 'symlink' || (kind === 'folder' && walk(root, path).some(below => below.kind === 'symlink'))) return inFolder ? undefined : 'symlink'
  if (kind) return undefined
  if (/[*?{}[\]]/.test(text)) return 'include-glob'
  if (!isProduct(entry)) return 'include-not-found'
  return stage === 'after-build' ? 'include-not-built' : undefined
}
