import { v7 as uuidv7 } from 'uuid'
import { violatedUniqueConstraint } from '../database/errors/classify-error.ts'
import type { UserRow } from '../database/models/user.ts'
import type { DatabaseService } from '../database/service.ts'
import { ConflictError, NotFoundError } from '../errors.ts'
import { userIdSchema, type NewUser } from './schema.ts'

/** A user as the API shows it. */
export interface UserView {
  id: string
  email: string
  name: string
  externalId: string | null
  createdAt: string
  updatedAt: string
}

/**
 * Creates a user.
 * @throws ConflictError when the email address or the external id is taken.
 */
export async function createUser(user: NewUser, database: DatabaseService): Promise<UserView> {
  try {
    return await database.execute('user.create', async ({ models, transaction }) =>
      viewOf(await models.User.create({ id: uuidv7(), email: user.email, name: user.name, externalId: user.externalId ?? null }, { transaction })),
    )
  } catch (error) {
    const constraint = violatedUniqueConstraint(error)
    throw constraint === undefined ? error : takenError(constraint)
  }
}

/**
 * Reads a user.
 * @throws NotFoundError for an unknown id, or for one that cannot be an id.
 */
export async function getUser(id: string, database: DatabaseService): Promise<UserView> {
  const row = userIdSchema.safeParse(id).success
    ? await database.execute('user.get', ({ models, transaction }) => models.User.findByPk(id, { transaction }), { mode: 'read' })
    : null
  if (!row) throw new NotFoundError('There is no user with this id.', 'user-unknown')
  return viewOf(row)
}

function viewOf(row: UserRow): UserView {
  return {
    id: row.id,
    email: row.email ?? '',
    name: row.name ?? '',
    externalId: row.externalId,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

function takenError(constraint: string): ConflictError {
  return constraint === 'users_external_id_key'
    ? new ConflictError('external-id-taken', 'A user with this external id exists already.')
    : new ConflictError('email-taken', 'A user with this email address exists already.')
}
