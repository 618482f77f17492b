/** How many connections a pool holds and how long it waits; all times in ms. */
export interface PoolSettings {
  readonly max: number
  readonly min: number
  readonly acquireMs: number
  readonly idleMs: number
  readonly evictMs: number
}

/** How a long-lived process keeps its database connected by itself; all times in ms. */
export interface BackgroundSettings {
  readonly checkEveryMs: number
  /** After so many attempts in a row it rests until the next check, and begins again: it never gives up for good. */
  readonly attempts: number
  readonly firstDelayMs: number
  readonly longestDelayMs: number
}

/** What depends on where the code runs; all times in ms. */
export interface Profile {
  readonly name: 'function' | 'server' | 'none'
  readonly pool: PoolSettings
  /** After this long without a statement the server ends the session; 0 leaves it open. */
  readonly idleSessionMs: number
  /** From this share of the server's sessions on, from 0 to 1, a connection is given back before each answer; `undefined`: never. */
  readonly crowdedAt: number | undefined
  /** How long the circuit breaker stays open. */
  readonly breakerCooldownMs: number
  /** `undefined` where there is no background: a paused container's timers stand still. */
  readonly background: BackgroundSettings | undefined
}

/**
 * A container that is paused between requests. One connection: it serves one request at a time, and the smallest managed
 * database takes 22. A paused container cannot close it, so the server does, after a time that is no multiple of the
 * health check's five minutes.
 */
const functionProfile: Profile = {
  name: 'function',
  pool: { max: 1, min: 0, acquireMs: 10_000, idleMs: 60_000, evictMs: 10_000 },
  idleSessionMs: 240_000,
  crowdedAt: 0.8,
  breakerCooldownMs: 5_000,
  background: undefined,
}

/** A long-lived process that serves many requests at once and can keep house by itself. */
const serverProfile: Profile = {
  name: 'server',
  pool: { max: 25, min: 5, acquireMs: 60_000, idleMs: 30_000, evictMs: 10_000 },
  idleSessionMs: 0,
  crowdedAt: undefined,
  breakerCooldownMs: 15_000,
  background: { checkEveryMs: 30_000, attempts: 10, firstDelayMs: 5_000, longestDelayMs: 60_000 },
}

export const profiles = { function: functionProfile, server: serverProfile } as const
