import type { CallOptions } from './repetition.ts'

type Look = Parameters<NonNullable<CallOptions['wasCommitted']>>[0]

/** Whether an operation has left a row: for `wasCommitted`. */
export async function isThere({ query }: Look, operation: string): Promise<boolean> {
  return (await query('SELECT 1 FROM effects WHERE operation = $operation', { operation })).length > 0
}
