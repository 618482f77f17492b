import { isDeepStrictEqual } from 'node:util'
import { functionsOf, type Project, type ProjectFunction } from '../../doctl-project-schema/src/index.ts'
import type { DeployedFunction, DeployedTrigger } from './deployed.ts'

/** In what the platform differs from project.yml; `name` is a function's or a schedule's. */
export interface Discrepancy {
  readonly kind: 'missing' | 'different' | 'left-over'
  readonly name: string
  readonly message: string
  readonly cure: string
}

export interface Deployed {
  /** Versions of all functions before the deployment and after it. */
  readonly before: ReadonlyMap<string, string>
  readonly after: ReadonlyMap<string, string>
  readonly functions: readonly DeployedFunction[]
  readonly triggers: readonly DeployedTrigger[]
}

const AGAIN = 'npm run deploy again; what doctl said of it stands above'
const LIMITS = ['timeout', 'memory', 'logs'] as const

/** Compares what project.yml declares with what is there. Values of variables are compared, and never told. */
export function compareDeployed(project: Project, deployed: Deployed, { only }: { only?: string | undefined } = {}): Discrepancy[] {
  const declared = functionsOf(project)
  const wanted = declared.filter(({ qualifiedName }) => only === undefined || qualifiedName === only)
  const found = wanted.flatMap(one => compareFunction(one, environmentOf(project, one), deployed))
  if (only !== undefined) return found
  return [...found, ...compareTriggers(declared, deployed.triggers), ...leftOver(declared, deployed)]
}

function compareFunction(
  declared: ProjectFunction,
  environment: Readonly<Record<string, string>>,
  { before, after, functions }: Deployed,
): Discrepancy[] {
  const { qualifiedName: name } = declared
  const there = functions.find(one => one.name === name)
  if (there === undefined) return [{ kind: 'missing', name, message: 'is not on the platform', cure: AGAIN }]
  const different = (message: string, cure = AGAIN): Discrepancy => ({ kind: 'different', name, message, cure })
  return [
    ...(before.has(name) && before.get(name) === after.get(name)
      ? [different(`was not deployed: version ${before.get(name)}, which was there before, still serves`)]
      : []),
    ...(there.kind === declared.runtime ? [] : [different(`runs on ${there.kind ?? 'nothing known'}, not on ${declared.runtime}`)]),
    ...(there.web === declared.web ? [] : [different(`has web: ${there.web}, not ${declared.web}`)]),
    ...LIMITS.filter(limit => there.limits[limit] !== declared.limits[limit]).map(limit =>
      different(
        `has the limit ${limit}: ${there.limits[limit] ?? 'none'}, not ${declared.limits[limit]}`,
        `write ${limit} into its limits in project.yml and deploy again: what is left out keeps its old value`,
      ),
    ),
    ...compareEnvironment(environment, there.environment).map(message => different(message)),
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
      'has variables that it should not have',
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
            cure: 'npm run deploy again; a namespace takes three schedules, and doctl needs an access token that may make them',
          },
        ]
      }
      const different = (message: string): Discrepancy => ({ kind: 'different', name, message, cure: AGAIN })
      return [
        ...(found.function === qualifiedName ? [] : [different(`the schedule calls ${found.function}, not ${qualifiedName}`)]),
        ...(found.cron === cron ? [] : [different(`the schedule fires at ${found.cron ?? 'no time'}, not at ${cron}`)]),
        ...(isDeepStrictEqual(found.body, body) ? [] : [different('the schedule sends another body')]),
        ...(found.enabled === enabled ? [] : [different(`the schedule is ${found.enabled ? 'on' : 'off'}, not ${enabled ? 'on' : 'off'}`)]),
      ]
    }),
  )
}

// What is in packages that the project does not name is somebody else's.
function leftOver(declared: readonly ProjectFunction[], { after, triggers }: Deployed): Discrepancy[] {
  const functions = new Set(declared.map(({ qualifiedName }) => qualifiedName))
  const schedules = new Set(declared.flatMap(one => one.triggers.map(({ name }) => name)))
  const packages = new Set(declared.map(one => one.package))
  const isOurs = (name: string) => packages.has(name.split('/')[0] ?? '')
  return [
    ...triggers
      .filter(({ name, function: called }) => !schedules.has(name) && isOurs(called))
      .map(({ name, function: called }): Discrepancy => ({
        kind: 'left-over',
        name,
        message: `the schedule still calls ${called}, and project.yml does not name it`,
        cure: `doctl serverless undeploy --triggers ${name}`,
      })),
    ...[...after.keys()]
      .filter(name => isOurs(name) && !functions.has(name))
      .map((name): Discrepancy => ({
        kind: 'left-over',
        name,
        message: 'still answers, and project.yml does not name it',
        cure: `doctl serverless undeploy ${name}`,
      })),
  ]
}

// Variables of the project and of a package are stored elsewhere.
function environmentOf(project: Project, { package: inPackage, name }: ProjectFunction): Readonly<Record<string, string>> {
  const entries = project.packages.find(one => one.name === inPackage)?.functions ?? []
  return entries.find(one => one.name === name)?.environment ?? {}
}
