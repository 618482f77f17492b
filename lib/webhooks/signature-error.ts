import { UnauthorizedError } from '../errors.ts'

export type SignatureFault = 'signature-missing' | 'signature-malformed' | 'signature-mismatch' | 'timestamp-too-old' | 'timestamp-too-new'

/** 401: the request does not prove that it comes from its source. The code tells the cause; the text helps no forger. */
export class SignatureError extends UnauthorizedError {
  constructor(fault: SignatureFault) {
    super(fault, 'The signature of this webhook was not accepted.')
  }
}
