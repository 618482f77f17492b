/** How the platform runs a function. */
export interface Limits {
  /** How long one call may take, in ms. Default: 10,000 for a function with routes, else 60,000. */
  readonly timeoutMs?: number
  /** Memory of a container, in MB. Default 256. */
  readonly memoryMb?: number
}

/** When the platform invokes a function by itself. */
export interface Schedule {
  /** Name of the trigger; unique in the namespace. */
  readonly name: string
  /** Five fields, in UTC: minute, hour, day of month, month, day of week. */
  readonly cron: string
  /** What `invoked` receives. Default: `{ source: 'schedule', task: '<function>' }`. */
  readonly body?: Readonly<Record<string, unknown>>
}

/** What a function's block in project.yml has to say. `npm run sync` writes it. */
export interface Deployment {
  readonly package: string
  readonly function: string
  /** Whether HTTP requests reach it. */
  readonly web: boolean
  /** Those that the definition states; project.yml has the others, in a new block from `defaultLimits`. */
  readonly limits: Limits
  readonly defaultLimits: Required<Limits>
  /** Undefined as long as the definition leaves them to project.yml. */
  readonly schedules: readonly Required<Schedule>[] | undefined
  /** Names of the variables that the function reads, in the order of its settings. */
  readonly variables: readonly string[]
}

export interface DeploymentOptions {
  /** `<package>/<function>`. */
  readonly name: string
  readonly web: boolean
  readonly limits?: Limits | undefined
  readonly schedules?: readonly Schedule[] | undefined
  readonly variables: readonly string[]
}

const NAME = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/
// Callers of a web function rarely wait longer.
const WEB_MS = 10_000
const SCHEDULED_MS = 60_000
const MEMORY_MB = 256

/**
 * Returns what project.yml has to say of a function.
 * @throws TypeError for a name other than `<package>/<function>`.
 */
export function deploymentOf({ name, web, limits = {}, schedules, variables }: DeploymentOptions): Deployment {
  if (!NAME.test(name))
    throw new TypeError(`A function is named <package>/<function>, as its folder under packages/ is; ${JSON.stringify(name)} is not.`)
  const [inPackage = '', inName = ''] = name.split('/')
  const defaultLimits = { timeoutMs: web ? WEB_MS : SCHEDULED_MS, memoryMb: MEMORY_MB }
  return {
    package: inPackage,
    function: inName,
    web,
    limits,
    defaultLimits,
    schedules: schedules?.map(({ body = { source: 'schedule', task: inName }, ...schedule }) => ({ ...schedule, body })),
    variables: [...new Set(variables)],
  }
}
