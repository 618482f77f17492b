import { readFileSync } from 'node:fs'
import { functionsOf } from '../functions-of.ts'
import { parseProject } from '../parse-project.ts'
import { placeholderEnvironment } from '../placeholder-environment.ts'
import { ProjectFileError } from '../project-file-error.ts'
import { type CommandOutput, type ExitStatus, isSystemError } from './output.ts'

/** Prints the qualified names of those functions of a file that have code to build, which a sequence and an image have not; nothing is returned when the arguments are wrong. */
export function runFunctions(args: readonly string[], { out, err }: CommandOutput): ExitStatus | undefined {
  const [fileName = 'project.yml', ...rest] = args
  if (rest.length > 0 || fileName.startsWith('-')) return undefined
  try {
    const text = readFileSync(fileName, 'utf8')
    const functions = functionsOf(parseProject(text, placeholderEnvironment(text), { fileName }))
    for (const { qualifiedName, runtime } of functions) if (runtime === 'nodejs:24') out(`${qualifiedName}\n`)
    return 0
  } catch (error) {
    if (error instanceof ProjectFileError) {
      err(`${error.message}\n`)
      return 1
    }
    if (!isSystemError(error)) throw error
    err(`${error.message}\n`)
    return 2
  }
}
