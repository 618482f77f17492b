import { NotFoundError } from '../../functions-runtime/src/edge/http-errors.ts'

/** For an id that is nobody's, or that of somebody who was erased: the answer does not tell which. */
export function userUnknown(): NotFoundError {
  return new NotFoundError('There is no user with this id.', 'user-unknown')
}
