/** What a server takes. */
export interface ServerLimits {
  /** `max_connections`. */
  readonly maxConnections: number
  /** What of it only the provider or a superuser gets: `superuser_reserved_connections` and `reserved_connections`. */
  readonly reserved: number
}

/** How containers use it. */
export interface FleetSettings {
  /** Most containers that are alive at once, paused ones included; of a long-lived server its processes. */
  readonly containers: number
  /** `DB_POOL_MAX`. */
  readonly poolMax: number
  /** `DB_POOLER`. */
  readonly pooler: 'none' | 'transaction'
  /** With a pooler: how many connections of the server it lends out, the sum of all of its pools. */
  readonly poolerSize?: number | undefined
  /** `DB_CROWDED_AT`, in percent of the usable connections: from it on a container gives its connection back; 0 never. */
  readonly crowdedAt?: number | undefined
}

/**
 * `warm`: every container keeps its connections. `guarded`: some keep theirs, the others connect for each call and wait
 * their turn. `pooled`: containers hold connections of the pooler, which cost the server nothing. `impossible`: somebody
 * is locked out, see `reasons`.
 */
export type FitVerdict = 'warm' | 'guarded' | 'pooled' | 'impossible'

export interface Fit {
  readonly verdict: FitVerdict
  /** Connections that an ordinary user can open. */
  readonly usable: number
  /** The most that is held while every container is paused. */
  readonly held: number
  /** What is left then for people, migrations and calls. */
  readonly free: number
  /** Why it is impossible; empty otherwise. */
  readonly reasons: readonly string[]
}

/** What to set for a fleet on a server, and what comes of it. */
export interface Recommendation extends Fit {
  readonly settings: FleetSettings
  /** The size for a connection pool of the provider, if one is put in between. */
  readonly poolerSize: number
}

export const DEFAULT_CROWDED_AT = 80
/** As many containers of one function as the platform runs at once. */
export const MOST_CONTAINERS = 120

/** Connections that an ordinary user can open, 0 at least. */
export function usableConnections({ maxConnections, reserved }: ServerLimits): number {
  return Math.max(0, maxConnections - reserved)
}

/** How many of the usable connections containers keep at most: the next one would reach the share from which they let go. */
export function crowdedMark(usable: number, crowdedAt: number = DEFAULT_CROWDED_AT): number {
  if (crowdedAt === 0) return usable
  // In this order the product is a whole number, and no rounding error takes a connection away.
  return Math.max(0, Math.ceil((usable * crowdedAt) / 100) - 1)
}

/**
 * Whether settings can fit a server, by counting alone: how long calls take is not known here. Somebody is always locked
 * out when what may be held leaves no connection for a call that has none.
 */
export function judgeFit(server: ServerLimits, settings: FleetSettings): Fit {
  const { containers, poolMax, pooler, crowdedAt = DEFAULT_CROWDED_AT } = settings
  const usable = usableConnections(server)
  const wanted = containers * poolMax
  if (pooler === 'transaction') return judgePooled(usable, wanted, settings.poolerSize ?? crowdedMark(usable))
  const mark = crowdedMark(usable, crowdedAt)
  const reasons = [
    ...(usable < 1 ? ['The server has no connection that an ordinary user can open.'] : []),
    ...(poolMax > usable
      ? [`DB_POOL_MAX ${poolMax} is more than the ${usable} connections that can be opened: one container can take them all.`]
      : []),
    ...(wanted > mark && mark >= usable
      ? [`DB_CROWDED_AT ${crowdedAt} lets containers keep all ${usable} connections: who comes later gets none until the server ends idle sessions.`]
      : []),
  ]
  const held = Math.min(wanted, mark, usable)
  return { verdict: reasons.length > 0 ? 'impossible' : wanted <= mark ? 'warm' : 'guarded', usable, held, free: usable - held, reasons }
}

function judgePooled(usable: number, wanted: number, poolerSize: number): Fit {
  const reasons = [
    ...(poolerSize < 1 ? ['The pooler has no connection of the server to lend out.'] : []),
    ...(poolerSize > usable ? [`The pooler is to lend out ${poolerSize} connections, and the server has ${usable}.`] : []),
    ...(poolerSize === usable && usable > 0 ? [`The pooler takes all ${usable} connections: migrations need a direct one.`] : []),
  ]
  const held = Math.max(0, Math.min(wanted, poolerSize, usable))
  return { verdict: reasons.length > 0 ? 'impossible' : 'pooled', usable, held, free: usable - held, reasons }
}

/**
 * What fits a fleet of containers: one connection each, since a container serves one request at a time, and no pooler
 * unless the server is so small that the guard could keep nothing and leave something free.
 */
export function recommend(server: ServerLimits, { containers }: { containers: number }): Recommendation {
  const settings: FleetSettings = { containers, poolMax: 1, pooler: 'none', crowdedAt: DEFAULT_CROWDED_AT }
  return { ...judgeFit(server, settings), settings, poolerSize: crowdedMark(usableConnections(server)) }
}
