import { type Issue } from './issue.ts'
import { lineOf } from './problem.ts'

/** The only error that reading a project file or an environment file throws; it carries every issue at once. */
export class ProjectFileError extends Error {
  override readonly name = 'ProjectFileError'
  readonly code = 'project-file-invalid'
  readonly issues: readonly Issue[]

  constructor(fileName: string, issues: readonly Issue[]) {
    super(issues.map(issue => lineOf({ file: fileName, ...issue })).join('\n'))
    this.issues = issues
  }
}
