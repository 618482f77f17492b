import type { Work } from '../../../functions-runtime/src/database/service.ts'

// The number tells these locks from others of the same application.
const LOCK = 'SELECT pg_advisory_xact_lock(7126, hashtext($externalId)) IS NULL AS locked'

/**
 * Isolation of every unit that takes the lock. With a stronger one, which may be the database's default, statements behind the
 * lock see the state from before it: what was committed while it was awaited would be overlooked.
 */
export const UNDER_LOCK = { isolation: 'READ COMMITTED' } as const

/**
 * Takes turns with everybody else who is about to change what concerns the user of this name, until the transaction
 * ends. A row could not be locked: the user may not be there yet, and whoever makes that row must not overlook what is
 * written meanwhile.
 */
export async function lockUser(externalId: string, { query }: Pick<Work, 'query'>): Promise<void> {
  await query(LOCK, { externalId })
}
