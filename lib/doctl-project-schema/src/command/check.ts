import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { checkProject, type CheckResult } from '../check-project.ts'
import { readEnvironmentFile, resolveEnvironment } from '../environment-file.ts'
import { ProjectFileError } from '../project-file-error.ts'
import { reportOf } from '../report.ts'
import { environmentFileWarnings } from '../warnings/environment-file-warnings.ts'
import { type CommandOutput, type ExitStatus, isSystemError } from './output.ts'

const OPTIONS = {
  json: { type: 'boolean', default: false },
  built: { type: 'boolean', default: false },
  env: { type: 'string' },
  accept: { type: 'string', multiple: true },
} as const

/** Checks a project and prints what is found; nothing is returned when the arguments are wrong. */
export function runCheck(args: readonly string[], output: CommandOutput): ExitStatus | undefined {
  const parsed = parsedArguments(args)
  if (!parsed || parsed.positionals.length > 1) return undefined
  const { values, positionals } = parsed
  try {
    const result = checkProject(positionals[0] ?? '.', {
      stage: values.built ? 'after-build' : 'before-build',
      accept: values.accept ?? [],
      ...environmentOf(values.env),
    })
    print(result, values.json, output)
    return result.problems.length > 0 ? 1 : 0
  } catch (error) {
    if (error instanceof ProjectFileError) {
      // Only the file of variables throws here; a refused project.yml is a result.
      print({ problems: error.issues.map(issue => ({ file: values.env ?? '.env', ...issue })), warnings: [] }, values.json, output)
      return 1
    }
    if (!isSystemError(error)) throw error
    output.err(`${error.message}\n`)
    return 2
  }
}

function parsedArguments(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, strict: true })
  } catch {
    return undefined
  }
}

function environmentOf(fileName: string | undefined) {
  if (fileName === undefined) return {}
  const text = readFileSync(fileName, 'utf8')
  const fileEnv = readEnvironmentFile(text, { fileName })
  return { env: resolveEnvironment(fileEnv, process.env), moreWarnings: environmentFileWarnings(text, fileEnv, process.env, fileName) }
}

function print(result: CheckResult, json: boolean, { out, colour = false }: CommandOutput): void {
  const { problems, warnings } = result
  out(json ? `${JSON.stringify({ problems, warnings }, undefined, 2)}\n` : reportOf(result, { colour }))
}
