import { UnauthorizedError } from '../errors.ts'

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

/** 401: the request does not prove that it comes from its source. The code tells the cause; the text helps no forger. */
export class SignatureError extends UnauthorizedError {
  constructor(fault: SignatureFault) {
    super(fault, 'The signature of this webhook was not accepted.')
  }
}
