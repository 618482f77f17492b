import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type ProjectFile, readProjectFile } from './parse-project.ts'
import { placeholderEnvironment } from './placeholder-environment.ts'
import { type Problem } from './problem.ts'
import { ProjectFileError } from './project-file-error.ts'
import { type Environment } from './source/substitution.ts'
import { checkTree, PROJECT_FILE } from './tree/check-tree.ts'
import { isFile } from './tree/folder.ts'
import { type Stage } from './tree/include-file.ts'
import { bundleBytes } from './warnings/bundle-bytes.ts'
import { findWarnings } from './warnings/find-warnings.ts'
import { strayFileWarnings } from './warnings/stray-files.ts'
import { substitutionWarnings } from './warnings/substitution-warnings.ts'
import { type Warning, warningOf } from './warnings/warning.ts'

/** Warnings that come and go with a build or with the values of variables: accepting one in vain says nothing. */
const CIRCUMSTANTIAL = ['small-memory', 'text-substitution', 'changed-value', 'env-file-comment', 'env-file-override']

export interface CheckOptions {
  /** The variables that project.yml is read with; without them each one counts as set, and only names are judged. */
  env?: Environment | undefined
  /** Whether the build has run: then everything that `.include` names has to be there. */
  stage?: Stage
  /** Whether the build writes every `.include`: before it, none is looked at. */
  buildWritesInclude?: boolean | undefined
  /** Names of warnings that are meant, as in `public-without-authentication:api/webhook`. */
  accept?: readonly string[]
  /** Warnings found elsewhere, to be accepted together with these. */
  moreWarnings?: readonly Warning[]
}

export interface CheckResult {
  /** What keeps the project from being deployed as it is meant; none when it is fine. */
  problems: Problem[]
  /** What may not be meant, without what was accepted. */
  warnings: Warning[]
}

/** Checks project.yml and the tree around it; throws the system's error when the folder cannot be read. */
export function checkProject(
  root: string,
  { env, stage = 'before-build', buildWritesInclude, accept = [], moreWarnings = [] }: CheckOptions = {},
): CheckResult {
  // An unreadable folder is no project with problems.
  if (!statSync(root).isDirectory()) throw Object.assign(new Error(`${root} is not a folder`), { code: 'ENOTDIR', syscall: 'stat' })
  const text = isFile(root, PROJECT_FILE) ? readFileSync(join(root, PROJECT_FILE), 'utf8') : undefined
  const problems: Problem[] = []
  const warnings: Warning[] = [...moreWarnings]
  let projectFile: ProjectFile | undefined
  if (text !== undefined) {
    const environment = env ?? placeholderEnvironment(text)
    try {
      projectFile = readProjectFile(text, environment)
      warnings.push(...findWarnings(projectFile, { bundleBytes: bundleBytes(root, projectFile.project) }), ...substitutionWarnings(text, environment))
    } catch (error) {
      if (!(error instanceof ProjectFileError)) throw error
      problems.push(...error.issues.map(issue => ({ file: PROJECT_FILE, ...issue })))
    }
  }
  problems.push(...checkTree(root, { stage, buildWritesInclude, projectFile }))
  warnings.push(...strayFileWarnings(root))

  const names = new Set(warnings.map(({ name }) => name))
  const left = warnings.filter(({ name }) => !accept.includes(name))
  // While the file is refused it is not known which warnings there are.
  const superfluous = projectFile ? accept.filter(name => !names.has(name) && !CIRCUMSTANTIAL.includes(name.split(':')[0] ?? '')) : []
  return {
    problems,
    warnings: [...left, ...superfluous.map(subject => warningOf('accepts-nothing', { file: PROJECT_FILE, subject, detail: subject }))],
  }
}
