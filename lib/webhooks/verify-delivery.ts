import type { Logger } from '../telemetry/logger.ts'
import { SignatureError } from './signature-error.ts'
import type { Source } from './source.ts'
import type { SignedRequest } from './schemes/scheme.ts'

/**
 * Verifies a delivery on the bytes as they came, and tells the log why one is refused: the cause, and what a person
 * should look at. None of the request is repeated.
 * @throws SignatureError
 */
export function verifyDelivery(source: Source, request: SignedRequest, logger: Pick<Logger, 'warn'>): void {
  try {
    source.verify(request)
  } catch (error) {
    if (error instanceof SignatureError) {
      logger.warn({
        event: 'webhook.refused',
        source: source.name,
        scheme: source.scheme,
        code: error.code,
        ...(error.hints.length > 0 ? { hints: error.hints } : {}),
      })
    }
    throw error
  }
}
