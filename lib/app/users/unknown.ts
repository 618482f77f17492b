import { NotFoundError } from '../../functions-runtime/src/edge/http-errors.ts'

/** What 404 means for an operation on a user. */
export const NO_USER = 'No such user, or an erased one.'

/** For an id that is nobody's, or that of somebody who was erased: the answer does not tell which. */
export function userUnknown(): NotFoundError {
  return new NotFoundError('There is no user with this id.', 'user-unknown')
}
