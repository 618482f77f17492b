import { type Issue } from '../issue.ts'
import { type Position } from '../source/position.ts'
import { type WarningCode, warningWordings } from './wordings.ts'

/** Something that works, but hardly as it is meant. */
export interface Warning extends Omit<Issue, 'code'> {
  file: string
  code: WarningCode
  /** What to accept it by: the code and what it is about, as in `slow-public:api/webhook`. */
  name: string
}

export interface WarningDetails {
  file: string
  /** What it is about: a function, a trigger, a variable, a file. */
  subject: string
  detail?: string
  path?: string
  position?: Position | undefined
}

/** Puts a warning into words; `{}` in the wording stands for the detail, which is the subject unless it is given. */
export function warningOf(code: WarningCode, { file, subject, detail = subject, path = '', position }: WarningDetails): Warning {
  const [reason, fix] = warningWordings[code]
  const word = (text: string) => text.replaceAll('{}', () => detail)
  return { file, path, code, name: `${code}:${subject}`, reason: word(reason), fix: word(fix), ...position }
}
