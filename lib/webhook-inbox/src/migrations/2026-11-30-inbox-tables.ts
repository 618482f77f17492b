import type { Migration } from '../../../resilient-sequelize/src/migrate/migration.ts'

const indexes = [
  // Pruning, oldest first.
  { name: 'webhook_events_processed_at', on: '(processed_at)' },
  // What is due. Empty as long as all goes well.
  { name: 'webhook_events_next_attempt_at', on: '(next_attempt_at) WHERE next_attempt_at IS NOT NULL' },
  // What waits for a person.
  { name: 'webhook_events_parked', on: "(received_at) WHERE outcome = 'failed'" },
  // Payloads that are still there, by age: ids stay longer.
  { name: 'webhook_events_payloads', on: '(processed_at) WHERE body IS NOT NULL' },
  { name: 'webhook_events_replay_guard', on: '(source, replay_guard) WHERE replay_guard IS NOT NULL', unique: true },
  // The user that an event is about: erasing looks these up.
  { name: 'webhook_events_user_id', on: '(user_id) WHERE user_id IS NOT NULL' },
  { name: 'webhook_events_concerns', on: '(concerns) WHERE concerns IS NOT NULL' },
  // Payloads that name no user, by age.
  {
    name: 'webhook_events_unattributed',
    on: '(received_at) WHERE body IS NOT NULL AND concerns IS NULL AND user_id IS NULL AND outcome IS NOT NULL',
  },
]

/**
 * Creates the table of events, and an empty view `webhook_erased`, which a migration of the application replaces. Keeps a table
 * that an earlier migration of the application created.
 *
 * An event with a null outcome is pending, and one with `failed` is parked; neither is processed. The sender's ids are bounded,
 * because an index entry must fit a page.
 */
export const inboxTables: Migration = {
  name: '2026-11-30-inbox-tables',
  async up({ query }) {
    await query('CREATE VIEW webhook_erased AS SELECT NULL::uuid AS id, NULL::text AS name WHERE false')
    await query(`
      CREATE TABLE IF NOT EXISTS webhook_events (
        id uuid PRIMARY KEY,
        source text NOT NULL CHECK (length(source) BETWEEN 1 AND 100),
        external_id text NOT NULL CHECK (length(external_id) BETWEEN 1 AND 255),
        type text NOT NULL CHECK (length(type) BETWEEN 1 AND 255),
        user_id uuid,
        received_at timestamptz NOT NULL,
        processed_at timestamptz,
        attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
        outcome text,
        body bytea,
        headers jsonb,
        verdict text CHECK (length(verdict) BETWEEN 1 AND 100),
        body_hash bytea CHECK (length(body_hash) = 32),
        replay_guard bytea CHECK (length(replay_guard) = 32),
        next_attempt_at timestamptz,
        last_error text CHECK (length(last_error) BETWEEN 1 AND 100),
        concerns text CHECK (length(concerns) BETWEEN 1 AND 200),
        invalid_paths jsonb,
        UNIQUE (source, external_id),
        CONSTRAINT webhook_events_outcome_known CHECK (outcome IN ('applied', 'ignored', 'failed')),
        CONSTRAINT webhook_events_processed_once CHECK ((processed_at IS NULL) = coalesce(outcome = 'failed', true)),
        CONSTRAINT webhook_events_due_while_pending CHECK (next_attempt_at IS NULL OR outcome IS NULL)
      )`)
    for (const { name, on, unique } of indexes) await query(`CREATE${unique ? ' UNIQUE' : ''} INDEX IF NOT EXISTS ${name} ON webhook_events ${on}`)
  },
}
