import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment, SettingIssue } from '../../../../functions-runtime/src/settings/settings.ts'
import {
  functionsOf,
  parseProject,
  placeholderEnvironment,
  ProjectFileError,
  type ProjectFunction,
} from '../../../../doctl-project-schema/src/index.ts'
import { application } from '../../application.ts'
import { readKeys } from '../../../../functions-runtime/src/settings/api-keys.ts'
import { scopesOf } from '../apis.ts'
import { loadFunction, type CheckedMain } from '../functions.ts'
import { describeMistake } from '../mistake.ts'
import { findingsOf, type Finding } from './finding.ts'

const settings = findingsOf('settings')
const functions = findingsOf('functions')

/** Checks that each function can be loaded, and that the settings which project.yml would pass to it are usable. */
export async function checkSettings(checkout: string, variables: Environment): Promise<Finding[]> {
  const text = readFileSync(join(checkout, 'project.yml'), 'utf8')
  const names = Object.keys(placeholderEnvironment(text))
  const declared = readDeclared(text, { ...Object.fromEntries(names.map(name => [name, 'none'])), ...variables })
  // The check of the project reports it.
  if (declared === undefined) return []
  const absent = new Set(names.filter(name => !variables[name]))
  const loaded = await Promise.all(declared.map(({ qualifiedName }) => loadFunction(checkout, qualifiedName)))
  const mistakes = loaded.flatMap(({ mistake }) => (mistake === undefined ? [] : [describeMistake(mistake)]))
  const readers = new Map<string, string[]>()
  declared.forEach((one, index) => {
    const main = loaded[index]?.main
    if (main === undefined) return
    for (const { variable, reason } of issuesOf(one, main, absent)) {
      const line = `${variable} ${reason}`
      readers.set(line, [...(readers.get(line) ?? []), one.qualifiedName])
    }
  })
  const findings = [
    // Several functions may share the file with the mistake.
    ...[...new Set(mistakes)].map(mistake => functions.fail(mistake, 'correct the file; npm run build shows the line')),
    ...describeIssues(readers),
    // What a function that cannot be loaded asks for is not known.
    ...(mistakes.length > 0 ? [] : checkScopes(variables, scopesOf(loaded.flatMap(({ main }) => main ?? [])))),
  ]
  return findings.length > 0 ? findings : [settings.ok(`every variable that ${declared.length} functions read is passed and usable`)]
}

function readDeclared(text: string, environment: Environment): ProjectFunction[] | undefined {
  try {
    return functionsOf(parseProject(text, environment)).filter(({ runtime }) => runtime === 'nodejs:24')
  } catch (error) {
    if (error instanceof ProjectFileError) return undefined
    throw error
  }
}

const ABSENT = 'is absent or empty'
const NO_SENDER = 'no sender has a secret'

function issuesOf({ environment }: ProjectFunction, main: CheckedMain, absent: ReadonlySet<string>): readonly SettingIssue[] {
  // The check of the project reports these.
  const notPassed = main.variables.filter(variable => !Object.hasOwn(environment, variable))
  // Absent is not the same as `none`: the deployer stops at it.
  const missing = Object.keys(environment).filter(variable => absent.has(variable))
  const reported = new Set([...notPassed, ...missing])
  return [
    ...missing.map(variable => ({ variable, reason: ABSENT })),
    ...withoutSenders(main.settingIssues(environment).filter(({ variable }) => !reported.has(variable))),
  ]
}

// One reason, not one for each sender.
function withoutSenders(issues: readonly SettingIssue[]): SettingIssue[] {
  const all = application.sourceSettings.variables
  const none =
    all.length > 0 && all.every(variable => issues.some(issue => issue.variable === variable && /secrets of all sources/.test(issue.reason)))
  if (!none) return [...issues]
  return [...issues.filter(({ variable }) => !all.includes(variable)), { variable: all.join(', '), reason: `are none: ${NO_SENDER}` }]
}

// A misspelt scope shows only when a call is refused.
function checkScopes({ API_KEYS: text }: Environment, asked: readonly string[]): Finding[] {
  const keys = text === undefined || asked.length === 0 ? [] : (readKeys(text) ?? [])
  const unknown = new Map(
    keys.flatMap(({ name, scopes }) => scopes.filter(scope => !asked.includes(scope)).map(scope => [`${name} ${scope}`, { name, scope }])),
  )
  return [...unknown.values()].map(({ name, scope }) =>
    settings.warn(
      `API_KEYS gives the key ${name} the scope ${scope}, which no operation names`,
      `correct it or take it out; the functions have: ${asked.join(' ')}`,
    ),
  )
}

function describeIssues(readers: ReadonlyMap<string, readonly string[]>): Finding[] {
  return [...readers].map(([issue, who]) => settings.fail(`${issue} (${who.join(', ')})`, cureOf(issue)))
}

function cureOf(issue: string): string {
  const [variable = ''] = issue.split(/[ ,]/)
  if (issue.includes(ABSENT)) return `give ${variable} a value in .env; the word none stands for not set`
  if (issue.includes(NO_SENDER)) return 'npm run secrets prints one for WEBHOOK_SECRET_DEMO; for another sender, its own'
  if (issue.includes('sample')) return `put a secret of your own into ${variable}: npm run secrets prints one`
  if (variable === 'API_KEYS') return 'npm run keys -- new <name> <scope> prints what it takes'
  if (variable === 'PAYLOAD_KEY' || variable === 'HEALTH_KEY') return `npm run secrets prints a value for ${variable}`
  return `correct ${variable} in .env; the README's table of settings shows its form`
}
