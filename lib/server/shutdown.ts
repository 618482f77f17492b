import { setTimeout as sleep } from 'node:timers/promises'

/** Something that was started and has to be ended. */
export interface Resource {
  end(): void | Promise<void>
  /** Ends it synchronously and by force: when its time is up, or at the second signal. */
  kill?(): void
}

// First no more work begins, then what is under way lets go of the database, then the database stops. The lock goes
// last: whoever gets it next finds nothing of ours left. Together with what a start may still take, under 10 s.
const STEPS = [
  { name: 'schedules', longestMs: 100 },
  { name: 'build', longestMs: 300 },
  { name: 'HTTP server', longestMs: 2_500 },
  { name: 'database pools', longestMs: 1_200 },
  { name: 'PostgreSQL', longestMs: 2_500 },
  { name: 'lock', longestMs: 100 },
] as const

export type ResourceName = (typeof STEPS)[number]['name']

export interface ShutdownOptions {
  readonly report: (message: string, error?: unknown) => void
  /** Resolves to false after that many ms. */
  readonly wait?: (ms: number) => Promise<false>
}

export interface Shutdown {
  add(name: ResourceName, resource: Resource): void
  /** Ends everything in order, each within its time. Never rejects; calling it again gives the same promise. */
  run(): Promise<void>
  /** Ends everything by force, before it returns. */
  atOnce(): void
}

/** Collects what runs, and ends it in the order in which one thing needs the other. */
export function createShutdown({ report, wait = ms => sleep(ms, false as const, { ref: false }) }: ShutdownOptions): Shutdown {
  const resources = new Map<ResourceName, Resource>()
  let running: Promise<void> | undefined

  async function endInOrder(): Promise<void> {
    for (const { name, longestMs } of STEPS) {
      const resource = resources.get(name)
      if (resource === undefined) continue
      try {
        const inTime = await Promise.race([Promise.resolve(resource.end()).then(() => true), wait(longestMs)])
        if (!inTime) {
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
      for (const { name } of STEPS) {
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
