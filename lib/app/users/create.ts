import { v7 as uuidv7 } from 'uuid'
import type { ActivityRecorder } from '../activity/record.ts'
import type { DatabaseService, Work } from '../../functions-runtime/src/database/service.ts'
import { sql } from '../../functions-runtime/src/database/sql.ts'
import { tables } from '../tables.ts'
import type { Claim } from '../../functions-runtime/src/api/claim.ts'
import { CLAIMED } from '../idempotency/claim.ts'
import { createOnce } from '../idempotency/create-once.ts'
import { joinTransactions } from '../transactions/join.ts'
import { lockUser } from '../../webhook-inbox/src/inbox/user-lock.ts'
import type { NewUser, User } from './schema.ts'
import { takenError } from './taken.ts'

/**
 * Creates a user, and links to it the transactions that came before under its external id.
 * @throws ConflictError when the email address or the external id is taken; see `createOnce`.
 */
export async function createUser(
  { email, name, externalId = null }: Omit<NewUser, 'externalId'> & { externalId?: string | null | undefined },
  { claim, activity, database }: { claim: Claim | undefined; activity: ActivityRecorder; database: DatabaseService },
): Promise<User> {
  const now = new Date().toISOString()
  const user: User = { id: uuidv7(), email, name, externalId, createdAt: now, updatedAt: now }
  const creation = {
    claim,
    userId: user.id,
    answer: () => user,
    make: (work: Work) => insertUser(user, claim, work),
    complete: () => activity.recordActivity(user.id, 'user.created'),
    wasMade: async ({ models }: Work) => (await models.User.findByPk(user.id)) !== null,
  }
  return createOnce('user.create', database, creation).catch((error: unknown) => {
    throw takenError(error)
  })
}

async function insertUser({ id, email, name, externalId, createdAt }: User, claim: Claim | undefined, work: Work): Promise<void> {
  const insert = () =>
    work.query(
      sql`INSERT INTO ${tables.users} (id, email, name, external_id, created_at, updated_at)
       SELECT $id::uuid, $email, $name, $externalId, $now::timestamptz, $now::timestamptz WHERE ${CLAIMED}`,
      { id, email, name, externalId, now: createdAt, claimId: claim?.id ?? null },
    )
  if (externalId === null) return void (await insert())
  await Promise.all([lockUser(externalId, work), insert(), joinTransactions({ userId: id, externalId }, work)])
}
