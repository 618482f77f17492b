import { CodedError } from '../../../invocation/src/errors.ts'
import { errorCode } from './classify-error.ts'

/** What may be told and stored of an error: its code, and nothing that was in the database. */
export function codeOf(error: unknown): string {
  return error instanceof CodedError ? error.code : (errorCode(error) ?? 'failed')
}
