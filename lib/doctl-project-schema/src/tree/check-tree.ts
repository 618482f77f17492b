import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Problem, treeProblem } from '../problem.ts'
import { type ProjectFile, readProjectFile } from '../parse-project.ts'
import { placeholderEnvironment } from '../placeholder-environment.ts'
import { ProjectFileError } from '../project-file-error.ts'
import { buildScriptProblems } from './build-scripts.ts'
import { declaredFolderProblems } from './declared-folders.ts'
import { entriesOf, isFile, kindAt } from './folder.ts'
import { forbiddenFileProblems } from './forbidden-files.ts'
import { includeFileProblems, type Stage } from './include-file.ts'

export interface TreeOptions {
  /** Whether the build has run; before it, what `.include` names in dist/, build/ or out/ need not be there. */
  stage?: Stage
  /** Whether the build writes every `.include`: before it, none is looked at. */
  buildWritesInclude?: boolean | undefined
  /** The project file, when it has been read already. */
  projectFile?: ProjectFile | undefined
}

/** The one file that the deployer reads. */
export const PROJECT_FILE = 'project.yml'

/**
 * What is wrong with the folders and files around a project file: all that the deployer would deploy unasked, refuse
 * or misread. The text of project.yml is not judged; while it is refused, folders are not compared with it.
 */
export function checkTree(
  root: string,
  { stage = 'before-build', buildWritesInclude = false, projectFile = readIfValid(root) }: TreeOptions = {},
): Problem[] {
  const problems = projectFileProblems(root)
  if (projectFile) {
    const first = projectFile.project.packages[0]
    const packages = kindAt(root, 'packages')
    if (packages === 'symlink') return [...problems, treeProblem('symlink', 'packages')]
    if (packages !== 'folder') {
      return [...problems, treeProblem('packages-folder-missing', 'packages', { detail: `${first?.name}/${first?.functions?.[0]?.name}` })]
    }
    problems.push(...declaredFolderProblems(root, projectFile))
  }
  const folders = functionFolders(root, projectFile)
  problems.push(...forbiddenFileProblems(root), ...buildScriptProblems(root, folders))
  if (stage === 'after-build' || !buildWritesInclude) for (const folder of folders) problems.push(...includeFileProblems(root, folder, stage))
  problems.push(...leftoverProblems(root, projectFile))
  // Several functions may share a package.json: what is wrong with it is said once.
  const seen = new Set<string>()
  return problems.filter(({ code, file, path, line }) => {
    const place = [code, file, path, line].join('\n')
    return !seen.has(place) && seen.add(place)
  })
}

function readIfValid(root: string): ProjectFile | undefined {
  if (!isFile(root, PROJECT_FILE)) return undefined
  try {
    const text = readFileSync(join(root, PROJECT_FILE), 'utf8')
    return readProjectFile(text, placeholderEnvironment(text))
  } catch (error) {
    if (error instanceof ProjectFileError) return undefined
    throw error
  }
}

function projectFileProblems(root: string): Problem[] {
  const files = entriesOf(root, '').filter(({ kind }) => kind !== 'folder')
  const others = files.filter(({ name }) => name !== PROJECT_FILE && /^project\b.*\.ya?ml$/i.test(name))
  const missing = isFile(root, PROJECT_FILE) ? [] : [treeProblem('project-file-missing', PROJECT_FILE)]
  return [...missing, ...others.map(({ path }) => treeProblem('second-project-file', path))]
}

/** The folders of functions that .include is looked for in: those that are declared, so that one mistake is one problem. */
function functionFolders(root: string, file: ProjectFile | undefined): string[] {
  const folders = entriesOf(root, 'packages')
    .filter(({ kind, name }) => kind === 'folder' && name !== 'node_modules')
    .flatMap(({ path }) => entriesOf(root, path))
    .filter(({ kind, name, path }) => kind === 'folder' && name !== 'node_modules' && entriesOf(root, path).length > 0)
    .map(({ path }) => path)
  if (!file) return folders
  const declared = new Set(
    file.project.packages.flatMap(({ name, functions = [] }) =>
      functions.filter(({ sequence, docker }) => (sequence ?? docker) === undefined).map(entry => `packages/${name}/${entry.name}`),
    ),
  )
  return folders.filter(folder => declared.has(folder))
}

/** An archive of an earlier deploy is rewritten by the next, unless that one builds remotely. */
function leftoverProblems(root: string, file: ProjectFile | undefined): Problem[] {
  return (file?.project.packages ?? []).flatMap(({ name, functions = [] }) =>
    functions
      .filter(({ remoteBuild }) => remoteBuild === true)
      .flatMap(entry => ['__deployer__.zip', '.built'].map(leftover => `packages/${name}/${entry.name}/${leftover}`))
      .filter(path => kindAt(root, path) !== undefined)
      .map(path => treeProblem('leftover-archive', path)),
  )
}
