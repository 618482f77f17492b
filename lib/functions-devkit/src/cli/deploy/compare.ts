import { isDeepStrictEqual } from 'node:util'
import { functionsOf, type Project, type ProjectFunction } from '../../../../doctl-project-schema/src/index.ts'
import { TOKEN } from '../doctl/cures.ts'
import type { DeployedFunction } from '../doctl/deployed.ts'
import type { DeployedTrigger } from '../doctl/triggers.ts'

/** A difference between the platform and project.yml; `name` is a function's or a schedule's. */
export interface Discrepancy {
  readonly kind: 'missing' | 'different' | 'left-over' | 'unknown'
  readonly name: string
  readonly message: string
  readonly cure: string
}

export interface Deployed {
  /** Versions of all functions before the deployment. */
  readonly before: ReadonlyMap<string, string>
  /** Versions of all functions after it; `undefined` when they could not be read. */
  readonly after: ReadonlyMap<string, string> | undefined
  readonly functions: readonly DeployedFunction[]
  /** `undefined` when they could not be read. */
  readonly triggers: readonly DeployedTrigger[] | undefined
}

export interface CompareOptions {
  /** Compares this function alone. */
  readonly only?: string | undefined
  /** The variables that each function reads, by `package/function`. */
  readonly reads?: ReadonlyMap<string, readonly string[]> | undefined
  /** Functions that are on the platform but could not be read. */
  readonly unread?: ReadonlySet<string> | undefined
}

const AGAIN = 'npm run deploy again; what doctl printed about it is above'
const LIMITS = ['timeout', 'memory', 'logs'] as const

/** Compares project.yml with the platform. Values of variables are compared, and never returned. */
export function compareDeployed(project: Project, deployed: Deployed, { only, reads, unread }: CompareOptions = {}): Discrepancy[] {
  const declared = functionsOf(project)
  const wanted = declared.filter(({ qualifiedName: name }) => (only === undefined || name === only) && unread?.has(name) !== true)
  const found = wanted.flatMap(one => compareFunction(one, deployed, reads?.get(one.qualifiedName) ?? []))
  if (only !== undefined) return found
  return [...found, ...(deployed.triggers === undefined ? [] : compareTriggers(declared, deployed.triggers)), ...leftOver(declared, deployed)]
}

function compareFunction(declared: ProjectFunction, { before, after, functions }: Deployed, reads: readonly string[]): Discrepancy[] {
  const { qualifiedName: name } = declared
  const there = functions.find(one => one.name === name)
  if (there === undefined) return [{ kind: 'missing', name, message: 'is not on the platform', cure: AGAIN }]
  const different = (message: string, cure = AGAIN): Discrepancy => ({ kind: 'different', name, message, cure })
  const notPassed = reads.filter(variable => !Object.hasOwn(declared.environment, variable) && !Object.hasOwn(there.environment, variable))
  return [
    ...(after !== undefined && before.has(name) && before.get(name) === after.get(name)
      ? [different(`was not deployed: the earlier version ${before.get(name)} still serves`)]
      : []),
    ...(there.kind === declared.runtime ? [] : [different(`runs on ${there.kind ?? 'an unknown runtime'}, not on ${declared.runtime}`)]),
    ...(there.web === declared.web ? [] : [different(`has web: ${there.web}, not ${declared.web}`)]),
    ...LIMITS.filter(limit => there.limits[limit] !== declared.limits[limit]).map(limit =>
      different(
        `has the limit ${limit}: ${there.limits[limit] ?? 'none'}, not ${declared.limits[limit]}`,
        `write ${limit} into its limits in project.yml and deploy again: a limit that is left out keeps its old value`,
      ),
    ),
    ...compareEnvironment(declared.environment, there.environment).map(message => different(message)),
    ...(notPassed.length > 0
      ? [different(`reads variables that project.yml does not pass to it: ${notPassed.join(', ')}`, 'add them to its environment in project.yml')]
      : []),
  ]
}

function compareEnvironment(declared: Readonly<Record<string, string>>, there: Readonly<Record<string, string>>): string[] {
  const names = (words: string, list: readonly string[]) => (list.length === 0 ? [] : [`${words}: ${list.join(', ')}`])
  return [
    ...names(
      'lacks variables',
      Object.keys(declared).filter(name => !Object.hasOwn(there, name)),
    ),
    ...names(
      'has variables that project.yml does not pass',
      Object.keys(there).filter(name => !Object.hasOwn(declared, name)),
    ),
    ...names(
      'has other values of variables',
      Object.keys(declared).filter(name => Object.hasOwn(there, name) && there[name] !== declared[name]),
    ),
  ]
}

function compareTriggers(declared: readonly ProjectFunction[], there: readonly DeployedTrigger[]): Discrepancy[] {
  return declared.flatMap(({ qualifiedName, triggers }) =>
    triggers.flatMap(({ name, cron, body, enabled }): Discrepancy[] => {
      const found = there.find(one => one.name === name)
      if (found === undefined) {
        return [
          {
            kind: 'missing',
            name,
            message: `the schedule of ${qualifiedName} is not on the platform`,
            cure: `${TOKEN}, or remove one (a namespace takes three), then npm run deploy again`,
          },
        ]
      }
      const different = (message: string): Discrepancy => ({ kind: 'different', name, message, cure: AGAIN })
      return [
        ...(found.function === qualifiedName ? [] : [different(`the schedule invokes ${found.function}, not ${qualifiedName}`)]),
        ...(found.cron === cron ? [] : [different(`the schedule fires at ${found.cron ?? 'no time'}, not at ${cron}`)]),
        ...(isDeepStrictEqual(found.body, body) ? [] : [different('the schedule sends another body')]),
        ...(found.enabled === enabled ? [] : [different(`the schedule is ${found.enabled ? 'on' : 'off'}, not ${enabled ? 'on' : 'off'}`)]),
      ]
    }),
  )
}

// Packages that the project does not name belong to another project.
function leftOver(declared: readonly ProjectFunction[], { after, triggers = [] }: Deployed): Discrepancy[] {
  const functions = new Set(declared.map(({ qualifiedName }) => qualifiedName))
  const schedules = new Set(declared.flatMap(one => one.triggers.map(({ name }) => name)))
  const packages = new Set(declared.map(one => one.package))
  const isOurs = (name: string) => packages.has(name.split('/')[0] ?? '')
  return [
    ...triggers
      .filter(({ name, function: invoked }) => !schedules.has(name) && isOurs(invoked))
      .map(({ name, function: invoked }): Discrepancy => ({
        kind: 'left-over',
        name,
        message: `the schedule still invokes ${invoked}, and project.yml does not name it`,
        cure: `doctl serverless undeploy --triggers ${name}`,
      })),
    ...[...(after?.keys() ?? [])]
      .filter(name => isOurs(name) && !functions.has(name))
      .map((name): Discrepancy => ({
        kind: 'left-over',
        name,
        message: 'still answers, and project.yml does not name it',
        cure: `doctl serverless undeploy ${name}`,
      })),
  ]
}
