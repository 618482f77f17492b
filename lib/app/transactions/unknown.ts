import { NotFoundError } from '../../functions-runtime/src/edge/http-errors.ts'

/** For an id that is none of the user's transactions. */
export function transactionUnknown(): NotFoundError {
  return new NotFoundError('This user has no transaction with this id.', 'transaction-unknown')
}
