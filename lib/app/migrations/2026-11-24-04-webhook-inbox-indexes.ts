import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'

const indexes = [
  // What is due. Empty as long as all goes well.
  { name: 'webhook_events_next_attempt_at', on: '(next_attempt_at) WHERE next_attempt_at IS NOT NULL' },
  // What waits for a person.
  { name: 'webhook_events_parked', on: "(received_at) WHERE outcome = 'failed'" },
  // Payloads that are still there, by age: ids stay longer.
  { name: 'webhook_events_payloads', on: '(processed_at) WHERE body IS NOT NULL' },
  { name: 'webhook_events_replay_guard', on: '(source, replay_guard) WHERE replay_guard IS NOT NULL', unique: true },
]
const checks = ['webhook_events_outcome_known', 'webhook_events_processed_once', 'webhook_events_due_while_pending']

// Concurrently, because events arrive all the time. What a build that was cut off left behind is invalid, but has the name.
export const webhookInboxIndexes: Migration = {
  name: '2026-11-24-webhook-inbox-indexes',
  transaction: false,
  async up({ query }) {
    for (const check of checks) await query(`ALTER TABLE webhook_events VALIDATE CONSTRAINT ${check}`)
    for (const { name, on, unique } of indexes) {
      await query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`)
      await query(`CREATE${unique ? ' UNIQUE' : ''} INDEX CONCURRENTLY ${name} ON webhook_events ${on}`)
    }
  },
}
