import { UnauthorizedError } from '../../../functions-runtime/src/edge/http-errors.ts'

/** Why a request is not taken for what it says it is. */
export type SignatureFault =
  | 'secret-missing'
  | 'signature-missing'
  | 'signature-malformed'
  | 'signature-repeated'
  | 'signature-version'
  | 'signature-mismatch'
  | 'signed-id-missing'
  | 'timestamp-missing'
  | 'timestamp-malformed'
  | 'timestamp-repeated'
  | 'timestamp-too-old'
  | 'timestamp-too-new'

/** What a person should look at when no signature matches. */
export type MismatchHint = 'body-empty' | 'body-length-differs' | 'body-reserialised' | 'secret-has-blanks' | 'secret-has-quotes'

/**
 * 401: the request does not prove that it comes from its source. The code tells the cause; the text helps no forger,
 * and the hints are for the log alone.
 */
export class SignatureError extends UnauthorizedError {
  readonly hints: readonly MismatchHint[]
  constructor(fault: SignatureFault, hints: readonly MismatchHint[] = []) {
    super(fault, 'The signature of this webhook was not accepted.')
    this.hints = hints
  }
}
