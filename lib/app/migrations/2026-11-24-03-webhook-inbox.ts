import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'

// An event is pending while its outcome is null, and parked for a person when it is `failed`; neither has been processed.
// The checks are only declared here: to prove them of every row the next migration reads the table without locking it.
export const webhookInbox: Migration = {
  name: '2026-11-24-webhook-inbox',
  async up({ query }) {
    await query(`
      ALTER TABLE webhook_events
        ADD COLUMN body bytea,
        ADD COLUMN headers jsonb,
        ADD COLUMN verdict text CHECK (length(verdict) BETWEEN 1 AND 100),
        ADD COLUMN body_hash bytea CHECK (length(body_hash) = 32),
        ADD COLUMN replay_guard bytea CHECK (length(replay_guard) = 32),
        ADD COLUMN next_attempt_at timestamptz,
        ADD COLUMN last_error text CHECK (length(last_error) BETWEEN 1 AND 100),
        DROP CONSTRAINT webhook_events_outcome_check,
        DROP CONSTRAINT webhook_events_check`)
    await query(`
      ALTER TABLE webhook_events
        ADD CONSTRAINT webhook_events_outcome_known CHECK (outcome IN ('applied', 'ignored', 'failed')) NOT VALID,
        ADD CONSTRAINT webhook_events_processed_once CHECK ((processed_at IS NULL) = coalesce(outcome = 'failed', true)) NOT VALID,
        ADD CONSTRAINT webhook_events_due_while_pending CHECK (next_attempt_at IS NULL OR outcome IS NULL) NOT VALID`)
    await query('ALTER TABLE users ADD COLUMN reported_at timestamptz')
  },
}
