import { functionsOf, parseProject, placeholderEnvironment, type Project, type ProjectFunction } from '../../../doctl-project-schema/src/index.ts'
import { type ScheduleDescription } from './schedules.ts'
import { type FunctionDescription } from './served-function.ts'

export interface ProjectOptions {
  /** What project.yml holds. */
  readonly text: string
  /** The values that hold on this machine whatever the environment and the file say. */
  readonly local: Readonly<Record<string, string>>
  /** The environment that the server was started with. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

export interface LocalProject {
  readonly functions: readonly FunctionDescription[]
  readonly schedules: readonly ScheduleDescription[]
  /** The settings of all functions together. */
  readonly settings: Readonly<Record<string, string>>
  /** What project.yml passes to a function. */
  environmentOf(qualifiedName: string): Readonly<Record<string, string>>
}

/** Reads project.yml as the deployer would, with this machine's values; one that nobody set holds the word `none`. */
export function readProject({ text, local, environment }: ProjectOptions): LocalProject {
  const names = Object.keys(placeholderEnvironment(text))
  const values = Object.fromEntries(names.map(name => [name, local[name] ?? (environment[name] || 'none')]))
  // A sequence or an image is no code of this checkout that could be called here.
  const project = parseProject(text, values)
  const functions = functionsOf(project)
    .filter(({ runtime }) => runtime === 'nodejs:24')
    .map(one => ({ ...one, environment: withLocal(one.environment, local) }))
  return {
    functions: functions.map(({ name, qualifiedName, web, limits }) => ({
      name,
      qualifiedName,
      web,
      timeoutMs: limits.timeout,
      memoryMb: limits.memory,
    })),
    schedules: functions.flatMap(one => schedulesOf(project, one)),
    settings: Object.assign({}, ...functions.map(one => one.environment)) as Record<string, string>,
    environmentOf: name => functions.find(one => one.qualifiedName === name)?.environment ?? {},
  }
}

// project.yml may hold an address itself, in place of a variable of the environment.
function withLocal(passed: Readonly<Record<string, string>>, local: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(passed).map(([name, value]) => [name, Object.hasOwn(local, name) ? (local[name] ?? value) : value]))
}

/** A function's triggers. The event is the trigger's body, with the parameters of project, package and function beneath it. */
function schedulesOf(project: Project, { package: packageName, name, qualifiedName, triggers }: ProjectFunction): ScheduleDescription[] {
  const inPackage = project.packages.find(one => one.name === packageName)
  const inFunction = inPackage?.functions?.find(one => one.name === name)
  const parameters = { ...project.parameters, ...inPackage?.parameters, ...inFunction?.parameters }
  return triggers.map(({ name, enabled, cron, body }) => ({ name, qualifiedName, enabled, cron, event: { ...parameters, ...body } }))
}
