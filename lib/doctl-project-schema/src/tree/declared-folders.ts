import { type Problem, treeProblem } from '../problem.ts'
import { type ProjectFile } from '../parse-project.ts'
import { entriesOf, isFolder, type TreeEntry } from './folder.ts'

interface Declared {
  name: string
  /** The function with its package: `api/webhook`. */
  qualifiedName: string
  path: (string | number)[]
}

/** Compares the packages and functions of project.yml with the folders under packages/: a rename is one problem, not two. */
export function declaredFolderProblems(root: string, file: ProjectFile): Problem[] {
  const { packages } = file.project
  const at = (code: Parameters<typeof treeProblem>[0], path: (string | number)[], detail: string) =>
    treeProblem(code, file.fileName, { detail, path: file.nameOf(path), position: file.locate(path) })

  const packageFolders = foldersIn(root, 'packages').filter(({ name }) => name !== 'node_modules')
  const declaredNames = new Set(packages.map(({ name }) => name))
  const withFolder = new Set(packageFolders.map(({ name }) => name))
  const lackingPackages = packages
    .map((pkg, index) => ({ pkg, index }))
    .filter(({ pkg }) => !withFolder.has(pkg.name) && pkg.functions?.some(hasFolder))
  const undeclaredPackages = packageFolders.filter(({ name }) => !declaredNames.has(name))
  const problems: Problem[] = []
  const [lackingPackage] = lackingPackages
  const [undeclaredPackage] = undeclaredPackages
  if (lackingPackage && undeclaredPackage && lackingPackages.length + undeclaredPackages.length === 2) {
    problems.push(at('package-renamed', ['packages', lackingPackage.index, 'name'], undeclaredPackage.name))
  } else {
    for (const { pkg, index } of lackingPackages) problems.push(at('package-without-folder', ['packages', index, 'name'], pkg.name))
    for (const { name, path } of undeclaredPackages) problems.push(treeProblem('package-undeclared', path, { detail: name }))
  }

  const lacking: Declared[] = []
  const undeclared: TreeEntry[] = []
  packages.forEach((pkg, packageIndex) => {
    if (packageFolders.find(({ name }) => name === pkg.name)?.kind !== 'folder') return
    const folders = foldersIn(root, `packages/${pkg.name}`).filter(({ name }) => name !== 'node_modules')
    const entries = pkg.functions ?? []
    entries.forEach((entry, index) => {
      const folder = folders.find(({ name }) => name === entry.name)
      const path = ['packages', packageIndex, 'functions', index, 'name']
      if (folder && (entry.sequence ?? entry.docker) !== undefined) problems.push(treeProblem('sequence-with-folder', folder.path))
      else if (folder && entry.file !== undefined) problems.push(at('file-with-folder', [...path.slice(0, -1), 'file'], `${pkg.name}/${entry.name}`))
      else if (!folder && hasFolder(entry)) lacking.push({ name: entry.name, qualifiedName: `${pkg.name}/${entry.name}`, path })
    })
    // An empty folder has a problem of its own, whether it is declared or not.
    undeclared.push(...folders.filter(({ name, path }) => !entries.some(entry => entry.name === name) && entriesOf(root, path).length > 0))
  })

  for (const declared of lacking) {
    const match = counterpartOf(declared, lacking, undeclared)
    if (match) undeclared.splice(undeclared.indexOf(match.folder), 1)
    problems.push(
      match
        ? at(match.code, declared.path, match.folder.path.slice('packages/'.length))
        : at('function-without-folder', declared.path, `packages/${declared.qualifiedName}`),
    )
  }
  for (const { name, path } of undeclared) problems.push(treeProblem('function-undeclared', path, { detail: name }))
  return problems
}

/** The undeclared folder that is most likely the one of a function without folder: moved from another package, or renamed in its own. */
function counterpartOf(declared: Declared, lacking: readonly Declared[], undeclared: readonly TreeEntry[]) {
  const moved = undeclared.filter(({ name }) => name === declared.name)
  if (moved[0] && moved.length === 1) return { code: 'function-moved', folder: moved[0] } as const
  const parent = packageOf(declared.qualifiedName)
  const beside = undeclared.filter(({ path }) => packageOf(path.slice('packages/'.length)) === parent)
  const rivals = lacking.filter(({ qualifiedName }) => packageOf(qualifiedName) === parent)
  return beside[0] && beside.length === 1 && rivals.length === 1 ? ({ code: 'function-renamed', folder: beside[0] } as const) : undefined
}

/** Whether the code of a function is looked for in its folder. */
function hasFolder(entry: { sequence?: unknown; docker?: unknown; file?: unknown }): boolean {
  return (entry.sequence ?? entry.docker ?? entry.file) === undefined
}

function packageOf(qualifiedName: string): string {
  return qualifiedName.slice(0, qualifiedName.indexOf('/'))
}

/** With links to folders: they are refused as links, and are not missing as well. */
function foldersIn(root: string, path: string): TreeEntry[] {
  return entriesOf(root, path).filter(({ kind, path: entry }) => kind === 'folder' || (kind === 'symlink' && isFolder(root, entry)))
}
