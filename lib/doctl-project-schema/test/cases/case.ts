import { type RefusalCode } from '../../src/refusals.ts'
import { type Edit } from '../valid-project.ts'

/** A project file with one mistake, and the one issue it is refused with. */
export interface BadProject {
  title: string
  edit: Edit
  code: RefusalCode
  path: string
  /** The reported line: the first one that differs from the valid project unless said otherwise, `none` when there is no certain one. */
  line?: number | 'none'
  env?: Record<string, string>
}

export function bad(title: string, edit: Edit, code: RefusalCode, path: string, more: Pick<BadProject, 'line' | 'env'> = {}): BadProject {
  return { title, edit, code, path, ...more }
}
