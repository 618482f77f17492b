import { type Problem, treeProblem } from '../problem.ts'
import { BUILD_FOLDERS, entriesOf, type TreeEntry, walk } from './folder.ts'

/** Settings of other tools that take effect on everything below the folder they lie in. */
const FOLDER_SETTINGS: ReadonlySet<string> = new Set(['package.json', 'package-lock.json', 'tsconfig.json', 'jsconfig.json'])

/** Files of editors and of the system that the deployer passes over by their names. */
const LEFT_ASIDE = /^\.(gitignore|DS_Store)$|\.#|~$|\.sw[px]$/

const SOURCE = /\.[cm]?tsx?$/
const PRODUCT = /\.[cm]?jsx?(\.map)?$/

/** What must not lie under packages/, or beside its source anywhere, whatever project.yml says. */
export function forbiddenFileProblems(root: string): Problem[] {
  return [...packageProblems(root), ...productProblems(root)]
}

function packageProblems(root: string): Problem[] {
  const problems: Problem[] = []
  for (const entry of walk(root, 'packages')) {
    // packages/<package>/<function>/...: the first level holds packages, the second functions.
    const level = entry.path.split('/').length - 1
    if (entry.kind === 'symlink') problems.push(treeProblem('symlink', entry.path))
    else if (entry.name === 'node_modules') problems.push(treeProblem('node-modules', entry.path))
    else if (FOLDER_SETTINGS.has(entry.name) && entry.kind === 'file')
      problems.push(treeProblem('folder-settings', entry.path, { detail: entry.name }))
    else if (level === 2 && entry.kind === 'file' && LEFT_ASIDE.test(entry.name)) continue
    else if (level === 2 && entry.kind !== 'folder') problems.push(treeProblem('loose-file', entry.path))
    else if (level === 2 && entriesOf(root, entry.path).length === 0) problems.push(treeProblem('empty-folder', entry.path))
  }
  return problems
}

function productProblems(root: string): Problem[] {
  const files = ['packages', 'lib'].flatMap(folder => walk(root, folder)).filter(entry => entry.kind === 'file' && !isInBuildFolder(entry))
  const sources = new Map(files.filter(({ name }) => SOURCE.test(name) && !/\.d\.[cm]?ts$/.test(name)).map(entry => [stemOf(entry.path), entry.name]))
  return files.flatMap(({ name, path }) => {
    const isProduct = PRODUCT.test(name) || /\.d\.[cm]?ts$/.test(name)
    const source = isProduct ? sources.get(stemOf(path)) : undefined
    return source ? [treeProblem('product-beside-source', path, { detail: source })] : []
  })
}

function isInBuildFolder({ path }: TreeEntry): boolean {
  return path
    .split('/')
    .slice(0, -1)
    .some(segment => BUILD_FOLDERS.has(segment))
}

/** The path without what a compiler changes: `a/index` for a/index.ts, a/index.js, a/index.js.map and a/index.d.ts. */
function stemOf(path: string): string {
  return path.replace(/(\.d)?\.[cm]?[jt]sx?(\.map)?$/, '')
}
