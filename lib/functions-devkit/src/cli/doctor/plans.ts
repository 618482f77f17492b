import { type ServerLimits } from './capacity.ts'

/** A size of DigitalOcean's Managed PostgreSQL. */
export interface Plan extends ServerLimits {
  readonly memoryGb: number
}

const CONNECTIONS_PER_GB = 25
const KEPT_FOR_MAINTENANCE = 3

/**
 * What a Managed PostgreSQL takes by the memory of its primary node. DigitalOcean's rule, as its API reference for
 * connection pools states it: 25 connections for each GB, of which three of the whole are kept for maintenance.
 */
export function planOf(memoryGb: number): Plan {
  return { memoryGb, maxConnections: CONNECTIONS_PER_GB * memoryGb, reserved: KEPT_FOR_MAINTENANCE }
}

/** The sizes that a small project would look at. */
export const plans: readonly Plan[] = [1, 2, 4, 8, 16].map(planOf)
