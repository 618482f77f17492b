import { expect } from 'vitest'

/** What makes ours and the official verifier differ on purpose, by name: a test of the request that was generated. */
export type Differences<Request> = Readonly<Record<string, (request: Request) => boolean>>

export interface Comparison<Request> {
  readonly ours: (request: Request) => boolean
  readonly official: (request: Request) => boolean | Promise<boolean>
  /** Ours refuses these and the official one may not. */
  readonly stricter: Differences<Request>
  /** The official one cannot verify these, however well they are signed. */
  readonly beyondOfficial: Differences<Request>
}

export interface Tally {
  accepted: number
  refused: number
  /** By name of the difference. */
  readonly differing: Map<string, number>
}

export function createTally(): Tally {
  return { accepted: 0, refused: 0, differing: new Map() }
}

/** Compares two verifiers on one request: they agree, or one of the listed differences explains why not. */
export async function compare<Request>(
  request: Request,
  { ours, official, stricter, beyondOfficial }: Comparison<Request>,
  tally: Tally,
): Promise<void> {
  const [our, their] = [ours(request), await official(request)]
  if (our === their) {
    tally[our ? 'accepted' : 'refused'] += 1
    return
  }
  const reasons = Object.entries(our ? beyondOfficial : stricter).filter(([, holds]) => holds(request))
  expect(reasons.length, `ours ${our ? 'accepts' : 'refuses'} what the official one does not`).toBeGreaterThan(0)
  for (const [name] of reasons) tally.differing.set(name, (tally.differing.get(name) ?? 0) + 1)
}
