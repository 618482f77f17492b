import { setTimeout as sleep } from 'node:timers/promises'

/** Something that was started and has to be ended. */
export interface Resource {
  end(): void | Promise<void>
  /** Ends it synchronously and by force: when its time is up, or at the second signal. */
  kill?(): void
}

/** One kind of thing to end, and how long that may take. */
export interface Step<Name extends string> {
  readonly name: Name
  readonly longestMs: number
}

// First no more work begins, then what is under way lets go of the database, then the database stops. The lock goes
// last: whoever gets it next finds nothing of ours left. Together with what a start may still take, under 10 s.
const LOCAL_STEPS = [
  { name: 'schedules', longestMs: 100 },
  { name: 'types', longestMs: 100 },
  { name: 'changes', longestMs: 50 },
  { name: 'build', longestMs: 300 },
  { name: 'HTTP server', longestMs: 2_500 },
  { name: 'containers', longestMs: 1_000 },
  { name: 'Redis', longestMs: 200 },
  { name: 'PostgreSQL', longestMs: 2_500 },
  { name: 'lock', longestMs: 100 },
] as const

export type ResourceName = (typeof LOCAL_STEPS)[number]['name']

export interface ShutdownOptions<Name extends string> {
  /** What there is to end, in order. */
  readonly steps: readonly Step<Name>[]
  readonly report: (message: string, error?: unknown) => void
  /** Told of each that has ended in its time. */
  readonly onEnded?: (name: Name, ms: number) => void
  /** Resolves to false after that many ms. */
  readonly wait?: (ms: number) => Promise<false>
}

export interface Shutdown<Name extends string = ResourceName> {
  add(name: Name, resource: Resource): void
  /** Ends everything in order, each within its time. Never rejects; calling it again gives the same promise. */
  run(): Promise<void>
  /** Ends everything by force, before it returns. */
  atOnce(): void
}

/** Collects what `npm start` runs, and ends it in the order in which one thing needs the other. */
export function createShutdown(options: Omit<ShutdownOptions<ResourceName>, 'steps'>): Shutdown {
  return createOrderedShutdown({ ...options, steps: LOCAL_STEPS })
}

/** Collects what runs, and ends it in the order of the steps. */
export function createOrderedShutdown<const Name extends string>({
  steps,
  report,
  onEnded = () => undefined,
  wait = ms => sleep(ms, false as const, { ref: false }),
}: ShutdownOptions<Name>): Shutdown<Name> {
  const resources = new Map<Name, Resource>()
  let running: Promise<void> | undefined

  async function endInOrder(): Promise<void> {
    for (const { name, longestMs } of steps) {
      const resource = resources.get(name)
      if (resource === undefined) continue
      const startedAt = performance.now()
      try {
        const inTime = await Promise.race([Promise.resolve(resource.end()).then(() => true), wait(longestMs)])
        if (inTime) onEnded(name, Math.round(performance.now() - startedAt))
        else {
          report(`${name}: did not end within ${longestMs / 1000} s`)
          resource.kill?.()
        }
      } catch (error) {
        report(`${name}: did not end cleanly`, error)
        killQuietly(resource)
      }
      resources.delete(name)
    }
  }

  return {
    add: (name, resource) => void resources.set(name, resource),
    run: () => (running ??= endInOrder()),
    atOnce() {
      for (const { name } of steps) {
        const resource = resources.get(name)
        if (resource !== undefined) killQuietly(resource)
      }
    },
  }
}

/** One that cannot be killed must not keep the ones after it alive. */
function killQuietly(resource: Resource): void {
  try {
    resource.kill?.()
  } catch {
    // Gone already, or out of our reach: either way there is nothing more to do.
  }
}
