import { parse } from 'dotenv'
import { issueOf } from './issue.ts'
import { ProjectFileError } from './project-file-error.ts'
import { kindOf } from './schema/environment.ts'
import { type Environment } from './source/substitution.ts'

/**
 * Reads a .env file as the deployer does: JSON if it is JSON, otherwise dotenv's NAME=value lines, in which an
 * unquoted # begins a comment and a line that is neither is passed over. Throws a ProjectFileError when the
 * JSON is no map, or holds a value that is not a string.
 */
export function readEnvironmentFile(text: string, { fileName = '.env' }: { fileName?: string } = {}): Record<string, string> {
  const json = readJson(text)
  if (!json) return parse(text)
  const { value } = json
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ProjectFileError(fileName, [issueOf('env-file-type', '')])
  const entries = Object.entries(value as Record<string, unknown>)
  const issues = entries
    .filter(([, entry]) => typeof entry !== 'string')
    .map(([name, entry]) => issueOf('env-file-value', name, { detail: kindOf(entry) }))
  if (issues.length > 0) throw new ProjectFileError(fileName, issues)
  return Object.fromEntries(entries) as Record<string, string>
}

/**
 * The environment that a project file is read with: a variable of the process wins over the file's, unless it
 * is empty, which the deployer takes for unset.
 */
export function resolveEnvironment(fileEnv: Environment, processEnv: Environment): Record<string, string> {
  const entries = [...Object.entries(fileEnv), ...Object.entries(processEnv)]
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => Boolean(entry[1])))
}

function readJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}
