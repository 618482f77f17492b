import type { Mutation } from './build.ts'

/** What a version before the present one may have had otherwise: other texts of statements, and other times. */
export const otherVersion: readonly Mutation[] = [
  {
    file: 'lib/webhook-inbox/src/inbox/claim.ts',
    text: `ON CONFLICT DO NOTHING
  RETURNING received_at AS "receivedAt"`,
    by: `ON CONFLICT DO NOTHING
  RETURNING received_at AS "receivedAt", id`,
  },
  {
    file: 'lib/webhook-inbox/src/inbox/claim.ts',
    text: 'SELECT id, outcome, body_hash <> $hash::bytea IS TRUE AS "otherBody" FROM',
    by: 'SELECT id, outcome, attempts, body_hash <> $hash::bytea IS TRUE AS "otherBody" FROM',
  },
  {
    file: 'lib/webhook-inbox/src/inbox/attempts.ts',
    text: 'const LONGEST_LEASE_MS = 30_000',
    by: 'const LONGEST_LEASE_MS = 3_000',
  },
  {
    file: 'lib/webhook-inbox/src/inbox/take.ts',
    text: 'const STORE_MS = 1_500',
    by: 'const STORE_MS = 500',
  },
]
