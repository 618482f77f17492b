import { expect, it } from 'vitest'
import * as z from 'zod/mini'
import { defineHandler } from '../../lib/webhook-inbox/src/inbox/handler.ts'
import { withInbox } from '../../lib/functions-devkit/test/support/inbox.ts'

const ERASED_BY = {
  'functions that were deployed before the migration': "UPDATE users SET email = NULL, name = NULL, erased_at = now() WHERE external_id = 'usr_1'",
  'the same, a day ago': "UPDATE users SET email = NULL, name = NULL, erased_at = now() - interval '1 day' WHERE external_id = 'usr_1'",
  'functions that know the column':
    "UPDATE users SET email = NULL, name = NULL, erased_at = now(), events_due_at = now() WHERE external_id = 'usr_1'",
}

const handlers = [
  defineHandler({
    type: 't',
    schema: z.looseObject({ user: z.string() }),
    needsDatabase: true,
    concerns: ({ user }) => user,
    async apply() {},
  }),
]

it.each(Object.entries(ERASED_BY))('the events of a user who is erased by %s are erased', async (_whom, erase) => {
  await withInbox({ handlers }, async inbox => {
    const { database } = inbox
    await inbox.send({ type: 't', data: { user: 'usr_1' } }, { id: 'evt_1' })
    await inbox.send({ type: 't', data: { user: 'usr_2' } }, { id: 'evt_2' })
    await database.query(
      "INSERT INTO users (id, external_id, email, name, created_at, updated_at) SELECT gen_random_uuid(), name, name || '@example.com', name, now(), now() FROM unnest(ARRAY['usr_1', 'usr_2']) AS name",
    )
    await database.query(erase)
    expect(await inbox.maintain()).toMatchObject({ erased: { events: 1 } })
    expect(await inbox.rows()).toMatchObject([
      { id: 'evt_1', body: false },
      { id: 'evt_2', body: true },
    ])
    // Whoever was erased a while ago is not looked at again.
    expect(await inbox.maintain()).toMatchObject({ erased: { events: erase.includes('1 day') ? null : 0 } })
  })
})
