import { type Environment } from '../source/substitution.ts'
import { type Warning, warningOf } from './warning.ts'

/** NAME=value without quotes, with a # that follows the value at once; behind a blank it is taken for a comment that is meant. */
const CUT_VALUE = /^\s*(?:export\s+)?([\w.-]+)\s*=\s*[^\s'"`#][^#]*(?<!\s)#/

/** What the deployer reads from a .env file, and from the process beside it, without saying that it means something else. */
export function environmentFileWarnings(text: string, fileEnv: Environment, processEnv: Environment, fileName = '.env'): Warning[] {
  const warnings: Warning[] = []
  // In JSON nothing begins a comment.
  if (!text.trimStart().startsWith('{')) {
    text.split(/\r\n|\r|\n/).forEach((line, index) => {
      const subject = CUT_VALUE.exec(line)?.[1]
      if (subject !== undefined) warnings.push(warningOf('env-file-comment', { file: fileName, subject, position: { line: index + 1, column: 1 } }))
    })
  }
  for (const [name, value] of Object.entries(fileEnv)) {
    const winner = Object.hasOwn(processEnv, name) ? processEnv[name] : undefined
    if (value && winner && winner !== value) warnings.push(warningOf('env-file-override', { file: fileName, subject: name }))
  }
  return warnings
}
