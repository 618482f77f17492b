import { type Schedules, type ScheduleDescription } from '../schedules.ts'

/** How often a long-lived process looks after itself, in ms: as often as the server profile after its connections. */
export const ROUND_EVERY_MS = 30_000

/** A trigger of project.yml that is the scheduled health check. */
export function isHealthRound({ event }: Pick<ScheduleDescription, 'event'>): boolean {
  return event.task === 'health'
}

export interface HealthRounds {
  stop(): void
}

/** Fires the scheduled health checks now and again and again, in place of their cron; one at a time. */
export function startHealthRounds(schedules: Pick<Schedules, 'fire'>, names: readonly string[], everyMs = ROUND_EVERY_MS): HealthRounds {
  const running = new Set<string>()
  const fire = () => {
    for (const name of names) {
      if (running.has(name)) continue
      running.add(name)
      void schedules.fire(name)?.finally(() => running.delete(name))
    }
  }
  fire()
  const timer = setInterval(fire, everyMs)
  return { stop: () => clearInterval(timer) }
}
