import { createHash } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'

/** A request that may be repeated: whoever stores this first does what it asks for, and everybody else gets that answer. */
export interface Claim {
  /** Of this call alone: the row with this id proves that this call has done it. */
  readonly id: string
  /** Name of the API key. */
  readonly caller: string
  /** What the caller calls the request. */
  readonly key: string
  readonly requestHash: Buffer
}

/** Makes the claim for one call; `request` is what was asked for, where and with which content. */
export function createClaim({ caller, key, request }: { caller: string; key: string; request: readonly unknown[] }): Claim {
  const requestHash = createHash('sha256').update(JSON.stringify(request)).digest()
  return { id: uuidv7(), caller, key, requestHash }
}
