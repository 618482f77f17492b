/** What happens in one run, and when: drawn from a seed, or read from a file. */
export interface Schedule {
  /** Each number stands for one container of every function that is called. */
  readonly containers: readonly ContainerPlan[]
  readonly steps: readonly Step[]
}

export const versions = ['present', 'other'] as const
export type Version = (typeof versions)[number]

export interface ContainerPlan {
  readonly version: Version
  /** How far its clock is ahead, in ms. */
  readonly clockMs: number
}

/** `afterMs`: how long after the step before. Containers are meant by their place in the list, from 0. */
export type Step = { readonly afterMs: number } & (
  | { readonly do: 'send'; readonly operation: string; readonly request: number; readonly container: number; readonly copies: number }
  | { readonly do: 'maintain'; readonly container: number; readonly copies: number }
  | { readonly do: 'cut'; readonly how: CutHow }
  /** `silent` keeps everything back, `away` refuses connections and resets the open ones; both end after `ms`. */
  | { readonly do: 'network'; readonly how: NetworkHow; readonly ms: number }
  /** Strikes at the next statement of that kind. */
  | { readonly do: 'strike'; readonly at: StrikeAt; readonly when: 'before' | 'after'; readonly how: StrikeHow }
  | { readonly do: 'pause'; readonly container: number; readonly ms: number }
  | { readonly do: 'kill'; readonly container: number }
  | { readonly do: 'restart'; readonly how: RestartHow; readonly ms: number }
)

export const cutHows = ['reset', 'close'] as const
type CutHow = (typeof cutHows)[number]
export const networkHows = ['silent', 'away', 'slow'] as const
type NetworkHow = (typeof networkHows)[number]
export const strikePlaces = ['COMMIT', 'INSERT', 'any statement'] as const
export type StrikeAt = (typeof strikePlaces)[number]
export const strikeHows = ['reset', 'close', 'silence'] as const
type StrikeHow = (typeof strikeHows)[number]
export const restartHows = ['fast', 'immediate', 'killed'] as const
export type RestartHow = (typeof restartHows)[number]

/** Returns a schedule in words, one line for each container and step. */
export function describeSchedule({ containers, steps }: Schedule): string {
  const lines = containers.map(({ version, clockMs }, index) => {
    const clock = clockMs === 0 ? '' : `, its clock ${Math.abs(clockMs)} ms ${clockMs > 0 ? 'ahead' : 'behind'}`
    return `container ${index} of each function: the ${version} version${clock}`
  })
  let atMs = 0
  for (const step of steps) {
    atMs += step.afterMs
    lines.push(`${String(atMs).padStart(6)} ms: ${describeStep(step)}`)
  }
  return lines.join('\n')
}

export function describeStep(step: Step): string {
  switch (step.do) {
    case 'send':
      return `${step.operation}, request ${step.request}, sent ${times(step.copies)} at once from container ${step.container} on`
    case 'maintain':
      return `schedules called ${times(step.copies)} at once from container ${step.container} on`
    case 'cut':
      return `all connections: ${step.how}`
    case 'network':
      return `network ${step.how} for ${step.ms} ms`
    case 'strike':
      return `${step.how} ${step.when} the next ${step.at}`
    case 'pause':
      return `container ${step.container} stopped for ${step.ms} ms`
    case 'kill':
      return `container ${step.container} killed`
    case 'restart':
      return `server ${step.how === 'killed' ? 'killed' : `stopped (${step.how})`} and started ${step.ms} ms later`
    default:
      return step satisfies never
  }
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}
