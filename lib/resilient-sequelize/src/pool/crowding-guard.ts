import type { QueryResult } from 'pg'
import type { Logger } from '../telemetry.ts'
import type { GuardedClient } from '../wire/guarded-client.ts'
import { classifyError } from '../errors/classify-error.ts'

/** How full the server was when it was last looked at. */
export interface Crowding {
  readonly sessions: number
  /** Sessions that ordinary roles may have. */
  readonly capacity: number
  /** Epoch ms. */
  readonly at: number
}

export interface CrowdingGuardOptions {
  /** From this share of the server's sessions on, from 0 to 1, a container gives its connection back before it answers. */
  crowdedAt: number
  logger: Logger
  now?: () => number
  random?: () => number
}

// Counted without pg_stat_activity's joins. Of the sessions of others a role may see little more than that they are
// there, so what else is hidden counts as a client.
const LOOK = `SELECT count(*)::int AS sessions,
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - coalesce(current_setting('reserved_connections', true)::int, 0) AS capacity
  FROM pg_stat_get_activity(NULL) WHERE usesysid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'`
const LOOK_EVERY_MS = 60_000
// Containers that began together must not look, and let go, together.
const JITTER_MS = 15_000
// What was crowded stays so until it is this much of its mark emptier, so that a fleet does not swing.
const HYSTERESIS = 1 / 8
// A server that had no connection left is crowded, whatever was seen before, for so long.
const FULL_MS = 60_000

/**
 * Tells a container when to keep its connection warm and when to make room. It asks for no round trip of its own: the
 * look rides behind a COMMIT that is sent anyway, on connecting and then at most once a minute. Whatever keeps it from
 * seeing, such as a right that is missing, makes it keep the connection.
 */
export class CrowdingGuard {
  readonly #options: CrowdingGuardOptions
  readonly #now: () => number
  #newest: Crowding | undefined
  #crowded = false
  #fullAt: number | undefined
  #nextLookAt = 0
  #looked = new WeakSet<GuardedClient>()
  #looking: Promise<void> | undefined

  constructor(options: CrowdingGuardOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** What was last seen, with its time; `undefined` before the first look. */
  get newest(): Crowding | undefined {
    return this.#newest
  }

  get crowded(): boolean {
    const fullForMs = this.#fullAt === undefined ? Number.POSITIVE_INFINITY : this.#now() - this.#fullAt
    return this.#crowded || (fullForMs >= 0 && fullForMs < FULL_MS)
  }

  /** Sends a look if one is due, behind what has just been sent to this connection. Never rejects. */
  readonly look = (client: GuardedClient): void => {
    const now = this.#now()
    // A clock that was set back must not keep it from looking for hours.
    const due = now >= this.#nextLookAt || this.#nextLookAt - now > LOOK_EVERY_MS + JITTER_MS
    if (this.#looked.has(client) && !due) return
    this.#looked.add(client)
    this.#nextLookAt = now + LOOK_EVERY_MS + (this.#options.random ?? Math.random)() * JITTER_MS
    this.#looking = client.sendRaw(LOOK).then(
      answer => this.#see(answer),
      (error: unknown) => this.#unseen(error),
    )
  }

  /** Takes note that the server refused a connection because it had none left. */
  noteFull(): void {
    this.#fullAt = this.#now()
  }

  /** Resolves when the look under way, if any, is answered. */
  async seen(): Promise<void> {
    await this.#looking
  }

  #unseen(error: unknown): void {
    this.#options.logger.debug({ event: 'database.crowding.unseen', error })
    const { transient, connection } = classifyError(error)
    // A crowd that can be seen no more would never be seen to go.
    if (!transient && connection === 'keep') this.#crowded = false
  }

  #see(answer: QueryResult | QueryResult[]): void {
    const [row] = Array.isArray(answer) ? [] : (answer.rows as { sessions: number; capacity: number }[])
    if (row === undefined) return
    this.#newest = { ...row, at: this.#now() }
    const share = row.sessions / Math.max(1, row.capacity)
    const { crowdedAt, logger } = this.#options
    const crowded = share >= (this.crowded ? crowdedAt * (1 - HYSTERESIS) : crowdedAt)
    this.#fullAt = undefined
    if (crowded !== this.#crowded) logger.info({ event: 'database.crowding.changed', crowded, ...row })
    this.#crowded = crowded
  }
}
