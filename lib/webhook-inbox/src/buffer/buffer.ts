import type { Deadline } from '../../../invocation/src/deadline.ts'
import { ApplicationError } from '../../../functions-runtime/src/edge/http-errors.ts'
import type { Delivery } from '../inbox/delivery.ts'
import type { PutOff } from '../inbox/later.ts'

/** What has become of a delivery before it was buffered. */
export interface BufferedState {
  /** Its handler, which needs no database, has done its part: it only has to be recorded. */
  readonly applied: boolean
  /** Its handler asked for a later attempt. */
  readonly putOff?: PutOff | undefined
}

/** Holds events while the database is away. */
export interface EventBuffer {
  /**
   * Resolves once the event will survive whatever happens to the buffer's server.
   * @throws BufferError when that is not certain in time: the sender has to come back.
   */
  put(delivery: Delivery, options: BufferedState & { readonly deadline: Deadline }): Promise<void>
}

export type BufferFault =
  | 'buffer-unreachable'
  | 'buffer-full'
  | 'buffer-not-durable'
  | 'buffer-evicts'
  | 'buffer-refuses'
  | 'buffer-too-old'
  | 'buffer-loading'
  | 'buffer-replica'

/** The buffer did not take an event. */
export class BufferError extends ApplicationError {
  override readonly name = 'BufferError'
  constructor(code: BufferFault, cause?: unknown) {
    super('The event could not be buffered.', { code, status: 503, retryable: true, cause })
  }
}
