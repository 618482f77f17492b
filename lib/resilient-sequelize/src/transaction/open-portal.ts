import { NestedOperationError } from '../errors/errors.ts'
import type { GuardedClient } from '../wire/guarded-client.ts'

/** @throws NestedOperationError while a cursor, a stream or COPY of the work is open: COMMIT would wait for its end. */
export function throwIfPortalIsOpen({ pipeline }: Pick<GuardedClient, 'pipeline'>): void {
  if (!pipeline) throw new NestedOperationError('A cursor, a stream or COPY is still open: end or close it before the work ends.')
}
