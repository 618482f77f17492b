import { ApplicationError } from '../../../errors.ts'
import { errorCode } from './classify-error.ts'

/** What may be told and stored of an error: its code, and nothing that was in the database. */
export function codeOf(error: unknown): string {
  return error instanceof ApplicationError ? error.code : (errorCode(error) ?? 'failed')
}
