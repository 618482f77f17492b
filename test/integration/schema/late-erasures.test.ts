import { expect, it } from 'vitest'
import { migrations } from '../../../lib/app/migrations/index.ts'
import { withDatabase } from '../../support/database.ts'

it('users that older functions erase after the column was added are looked at once more', async () => {
  await withDatabase(async database => {
    await database.query(
      `INSERT INTO users (id, external_id, email, name, erased_at, created_at, updated_at) VALUES
         (gen_random_uuid(), 'usr_1', NULL, NULL, now(), now(), now()), (gen_random_uuid(), 'usr_2', NULL, NULL, now(), now(), now()),
         (gen_random_uuid(), 'usr_3', 'ada@example.com', 'Ada', NULL, now(), now())`,
    )
    const added = migrations.findIndex(({ name }) => name === '2026-11-29-due-erasures')
    const later = migrations.slice(added + 1).filter(({ name }) => name.endsWith('-erasures') && !name.includes('-index-'))
    for (const { up } of later) await up({ query: text => database.query(text), schema: 'public' })
    const due = await database.query('SELECT external_id AS user, events_due_at IS NOT NULL AS due FROM users ORDER BY 1')
    expect(due).toEqual([
      { user: 'usr_1', due: true },
      { user: 'usr_2', due: true },
      { user: 'usr_3', due: false },
    ])
  })
})
