import { checkEncoding, checkSize } from '../../../functions-runtime/src/content/content.ts'
import { ApplicationError } from '../../../functions-runtime/src/edge/http-errors.ts'
import type { Logger } from '../../../functions-runtime/src/telemetry/logger.ts'
import { keptHeaders, readDelivery, type ReadDelivery } from '../inbox/delivery.ts'
import { checkHeaderId } from '../inbox/read-event.ts'
import { SignatureError } from './signature-error.ts'
import type { Source } from './source.ts'
import type { SignedRequest } from './schemes/scheme.ts'

/**
 * Verifies a request on its bytes as they came, and reads the delivery out of it. Logs why a request is refused: the code,
 * and for a signature what a person should look at; nothing of the request is repeated.
 * @throws ApplicationError 413, 415; SignatureError; and where an event cannot be stored because it has no usable id 400,
 * 415 or 422, see `readEvent`.
 */
export function verifyDelivery(source: Source, request: SignedRequest, logger: Pick<Logger, 'warn'>): ReadDelivery {
  try {
    checkSize(request.body)
    checkEncoding(request.headers['content-encoding'])
    source.verify(request)
    checkHeaderId(source, request.headers)
    // Read from what is kept, as it will be read again if it has to.
    const headers = keptHeaders(request.headers, source)
    return readDelivery({ source: source.name, body: request.body, headers, verdict: source.scheme, receivedAt: new Date() }, source)
  } catch (error) {
    if (error instanceof ApplicationError) {
      const hints = error instanceof SignatureError && error.hints.length > 0 ? { hints: error.hints } : {}
      logger.warn({ event: 'webhook.refused', source: source.name, scheme: source.scheme, code: error.code, ...hints })
    }
    throw error
  }
}
