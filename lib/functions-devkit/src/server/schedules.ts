import { Cron } from 'croner'
import { describeFiring, outcomeOf, type Firing } from './firing.ts'
import { type PlatformEvent } from './platform/event.ts'
import { type CallableFunction } from './served-function.ts'

/** A trigger of project.yml. */
export interface ScheduleDescription {
  readonly name: string
  /** `package/function` that it calls. */
  readonly qualifiedName: string
  /** Whether it fires by itself. */
  readonly enabled: boolean
  /** Five fields, in UTC. */
  readonly cron: string
  /** What the function is called with. */
  readonly event: PlatformEvent
}

export interface SchedulesOptions {
  readonly descriptions: readonly ScheduleDescription[]
  readonly functions: { byQualifiedName(qualifiedName: string): CallableFunction | undefined }
  /** Takes one line for each firing, once it has ended. */
  readonly print: (line: string) => void
  readonly report: (message: string, error?: unknown) => void
}

export interface Schedules {
  readonly all: readonly ScheduleDescription[]
  /** Begins to fire each enabled one by its cron. */
  start(): void
  /** Fires one now, enabled or not; undefined when there is none of this name. Never rejects. */
  fire(name: string): Promise<Firing> | undefined
  /** Fires no more. */
  stop(): void
  /** Resolves when the firings under way have ended. */
  idle(): Promise<void>
}

/**
 * Calls functions on schedule, in place of the platform's triggers. As there, a firing does not wait for the one
 * before it, and one that was missed is not made up for.
 * @throws Error when one calls a function that does not exist.
 */
export function createSchedules({ descriptions, functions, print, report }: SchedulesOptions): Schedules {
  const served = new Map(descriptions.map(({ name, qualifiedName }) => [name, functionOf(name, qualifiedName)]))
  const running = new Set<Promise<unknown>>()
  let jobs: Cron[] = []

  function functionOf(schedule: string, qualifiedName: string): CallableFunction {
    const found = functions.byQualifiedName(qualifiedName)
    if (found === undefined) throw new Error(`The schedule ${schedule} calls ${qualifiedName}, which does not exist`)
    return found
  }

  async function call({ name, qualifiedName, event }: ScheduleDescription, called: CallableFunction): Promise<Firing> {
    const startedAt = performance.now()
    // A copy each time: what a function does to its event must not reach the next firing.
    const { ended, context } = called.call(structuredClone(event))
    const end = await ended
    const ms = Math.round(performance.now() - startedAt)
    const firing: Firing = { schedule: name, function: qualifiedName, activationId: context.activationId, ms, ...outcomeOf(end) }
    print(describeFiring(firing))
    if (end.end === 'thrown') report(`${qualifiedName} threw`, end.error)
    return firing
  }

  function fire(name: string): Promise<Firing> | undefined {
    const schedule = descriptions.find(one => one.name === name)
    const called = served.get(name)
    if (schedule === undefined || called === undefined) return undefined
    const firing = call(schedule, called)
    running.add(firing)
    void firing.finally(() => running.delete(firing))
    return firing
  }

  function stop(): void {
    for (const job of jobs) job.stop()
    jobs = []
  }

  return {
    all: descriptions,
    start() {
      stop()
      jobs = descriptions
        .filter(({ enabled }) => enabled)
        .map(({ name, cron }) => new Cron(cron, { mode: '5-part', timezone: 'UTC' }, () => void fire(name)))
    },
    fire,
    stop,
    async idle() {
      await Promise.all(running)
    },
  }
}
