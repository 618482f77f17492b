import { type Issue } from './issue.ts'
import { type TreeRefusalCode, treeRefusals } from './tree/refusals.ts'
import { type Position } from './source/position.ts'

/** One thing that is wrong with a project: with its file, or with a folder or file of its tree. */
export interface Problem extends Omit<Issue, 'code'> {
  /** The file or folder, relative to the root of the project, with slashes. */
  file: string
  code: Issue['code'] | TreeRefusalCode
}

export interface TreeProblemDetails {
  /** What stands for `{}` in the wording. */
  detail?: string
  /** Where in the data of the file, as in `packages[0].functions[1].name`. */
  path?: string
  position?: Position | undefined
}

/** Puts a problem of the tree into words; `{}` in the wording stands for the detail. */
export function treeProblem(code: TreeRefusalCode, file: string, { detail = '', path = '', position }: TreeProblemDetails = {}): Problem {
  const [reason, fix] = treeRefusals[code]
  return { file, path, code, reason: reason.replaceAll('{}', () => detail), fix: fix.replaceAll('{}', () => detail), ...position }
}

/** A problem or a warning as one line: `project.yml:25:9 packages[1].functions[0].web: reason. Fix.` */
export function lineOf({ file, path, line, column, reason, fix }: Omit<Problem, 'code'>): string {
  const place = line === undefined ? file : `${file}:${line}:${column}`
  return `${place}${path ? ` ${path}` : ''}: ${reason}. ${fix}.`
}
