import { violatedUniqueConstraint } from '../../resilient-sequelize/src/errors/classify-error.ts'
import { ConflictError } from '../../functions-runtime/src/edge/http-errors.ts'

/** What the caller is told when a user's address or external id is somebody else's; any other error as it is. */
export function takenError(error: unknown): unknown {
  const constraint = violatedUniqueConstraint(error)
  if (constraint === 'users_email_key') return new ConflictError('email-taken', 'A user with this email address exists already.')
  if (constraint !== 'users_external_id_key') return error
  return new ConflictError('external-id-taken', 'A user with this external id exists already, or did until it was erased.')
}
