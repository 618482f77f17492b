import { createHash } from 'node:crypto'
import type { User } from './schema.ts'

/** Columns of a user that is shown, in SQL. */
export const USER_COLUMNS = 'id, email, name, external_id AS "externalId", created_at AS "createdAt", updated_at AS "updatedAt"'

export interface ShownUserRow extends Omit<User, 'createdAt' | 'updatedAt'> {
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** A row as the API shows it. */
export function viewOfUser({ id, email, name, externalId, createdAt, updatedAt }: ShownUserRow): User {
  return { id, email, name, externalId, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() }
}

/** Entity tag of what is shown: the same exactly when all of it is the same. */
export function tagOf(user: User): string {
  return `"${createHash('sha256').update(JSON.stringify(user)).digest('base64url').slice(0, 22)}"`
}
