import { existsSync, readFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import type { Environment, SettingIssue } from '../../config/settings.ts'
import {
  environmentFileWarnings,
  functionsOf,
  parseProject,
  placeholderEnvironment,
  ProjectFileError,
  readEnvironmentFile,
  resolveEnvironment,
} from '../../doctl-project-schema/src/index.ts'
import { findingsOf, type Finding } from './finding.ts'

type Warnings = ReturnType<typeof environmentFileWarnings>

/** The variables as the deployer will see them. */
export interface DeployEnvironment {
  readonly variables: Environment
  readonly warnings: Warnings
  readonly findings: readonly Finding[]
}

const settings = findingsOf('settings')

/** Reads the file of variables and puts what the shell has over it, as the deployer does. */
export function readDeployEnvironment(checkout: string, file: string, shell: Environment): DeployEnvironment {
  const path = resolve(checkout, file)
  if (!existsSync(path)) {
    return {
      variables: resolveEnvironment({}, shell),
      warnings: [],
      findings: [settings.fail(`there is no ${basename(file)}`, 'cp .env.example .env, then fill it in')],
    }
  }
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const reason = `${basename(file)} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`
    const findings = [settings.fail(reason, 'name a file that you may read: --env FILE')]
    return { variables: resolveEnvironment({}, shell), warnings: [], findings }
  }
  try {
    const written = readEnvironmentFile(text, { fileName: basename(file) })
    return { variables: resolveEnvironment(written, shell), warnings: environmentFileWarnings(text, written, shell, basename(file)), findings: [] }
  } catch (error) {
    if (!(error instanceof ProjectFileError)) throw error
    return {
      variables: resolveEnvironment({}, shell),
      warnings: [],
      findings: [settings.fail(`${basename(file)} cannot be read`, error.issues.map(({ fix }) => fix).join('; '))],
    }
  }
}

/** Has each function of the project look at the settings that it would get. */
export async function checkSettings(checkout: string, variables: Environment): Promise<Finding[]> {
  const text = readFileSync(resolve(checkout, 'project.yml'), 'utf8')
  const readers = new Map<string, string[]>()
  let names: string[]
  try {
    names = functionsOf(parseProject(text, placeholderEnvironment(text))).map(({ qualifiedName }) => qualifiedName)
  } catch (error) {
    // The check of the project tells.
    if (error instanceof ProjectFileError) return []
    throw error
  }
  for (const name of names) {
    const { main } = (await import(resolve(checkout, 'packages', name, 'index.ts'))) as {
      main: { readonly variables: readonly string[]; settingIssues(environment: Environment): readonly SettingIssue[] }
    }
    // Absent is not the same as none: the deployer stops at it.
    const absent = main.variables.filter(variable => !variables[variable]).map(variable => ({ variable, reason: 'is absent or empty' }))
    for (const { variable, reason } of [
      ...absent,
      ...main.settingIssues(variables).filter(one => absent.every(({ variable: gone }) => gone !== one.variable)),
    ]) {
      const line = `${variable} ${reason}`
      readers.set(line, [...(readers.get(line) ?? []), name])
    }
  }
  if (readers.size === 0) return [settings.ok(`every variable that ${names.length} functions read is there and can be used`)]
  return [...readers].map(([issue, who]) => settings.fail(`${issue} (${who.join(', ')})`, cureOf(issue)))
}

function cureOf(issue: string): string {
  const [variable = ''] = issue.split(' ')
  if (issue.includes('absent or empty')) return `give ${variable} a value in .env; the word none stands for not set`
  if (issue.includes('sample')) return `put a secret of your own into ${variable}: openssl rand -base64 32`
  if (variable === 'API_KEYS') return 'npm run keys -- new <name> prints what it takes'
  return `correct ${variable} in .env; the README's table of settings tells its form`
}
