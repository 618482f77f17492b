import { DEFAULT_LIMITS } from './schema/limits.ts'
import { type Project } from './schema/project.ts'

type Package = Project['packages'][number]
type FunctionEntry = NonNullable<Package['functions']>[number]

/** A schedule that runs a function, with the platform's defaults filled in. */
export interface ScheduledTrigger {
  name: string
  enabled: boolean
  cron: string
  body: Record<string, unknown>
}

/** A function of a project file with everything that the file says about it, defaults filled in. */
export interface ProjectFunction {
  package: string
  name: string
  /** Package and function as they are folders under packages/: `api/webhook`. */
  qualifiedName: string
  /** The export that is called. */
  main: string
  web: boolean | 'raw'
  /** Kind of the deployed function; `sequence` and `blackbox` are the platform's words for a sequence and an image. */
  runtime: 'nodejs:24' | 'sequence' | 'blackbox'
  /** Milliseconds, megabytes, kilobytes. */
  limits: { timeout: number; memory: number; logs: number }
  /** Variables of project, package and function together; the function's win over the package's, and those over the project's. */
  environment: Record<string, string>
  triggers: ScheduledTrigger[]
}

/** Lists the functions of a project in the order of its file. */
export function functionsOf(project: Project): ProjectFunction[] {
  return project.packages.flatMap(pkg => (pkg.functions ?? []).map(entry => projectFunction(project, pkg, entry)))
}

function projectFunction(project: Project, pkg: Package, entry: FunctionEntry): ProjectFunction {
  return {
    package: pkg.name,
    name: entry.name,
    qualifiedName: `${pkg.name}/${entry.name}`,
    // Empty is unset.
    main: entry.main || 'main',
    web: entry.web,
    runtime: kindOfFunction(entry),
    limits: {
      timeout: entry.limits?.timeout ?? DEFAULT_LIMITS.timeout,
      memory: entry.limits?.memory ?? DEFAULT_LIMITS.memory,
      logs: entry.limits?.logs ?? DEFAULT_LIMITS.logs,
    },
    environment: { ...project.environment, ...pkg.environment, ...entry.environment },
    triggers: (entry.triggers ?? []).map(({ name, enabled = true, scheduledDetails: { cron, body = {} } }) => ({ name, enabled, cron, body })),
  }
}

function kindOfFunction(entry: FunctionEntry): ProjectFunction['runtime'] {
  if (entry.sequence) return 'sequence'
  return entry.docker ? 'blackbox' : 'nodejs:24'
}
