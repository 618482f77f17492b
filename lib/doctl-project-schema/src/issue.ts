import { refusals, type RefusalCode } from './refusals.ts'
import { type Position } from './source/position.ts'

/** One thing that is wrong with a file. Names of keys and variables may appear in it, values never. */
export interface Issue extends Partial<Position> {
  /** Where in the file's data, as in `packages[0].functions[1].web`; empty when the text as a whole is meant. */
  path: string
  code: RefusalCode
  reason: string
  /** What to write instead. */
  fix: string
}

/** Puts an issue into words; `{}` in the wording stands for the detail. */
export function issueOf(
  code: RefusalCode,
  path: string,
  { detail = '', position }: { detail?: string; position?: Position | undefined } = {},
): Issue {
  const [reason, fix] = refusals[code]
  return { path, code, reason: reason.replaceAll('{}', () => detail), fix: fix.replaceAll('{}', () => detail), ...position }
}
