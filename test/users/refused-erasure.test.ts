import { expect, it } from 'vitest'
import * as z from 'zod/mini'
import { defineHandler } from '../../lib/webhook-inbox/src/inbox/handler.ts'
import { withInbox } from '../../lib/functions-devkit/test/support/inbox.ts'

const handlers = [
  defineHandler({
    type: 't',
    schema: z.looseObject({}),
    needsDatabase: true,
    concerns: data => (data as { user?: string }).user ?? 'usr_0',
    async apply() {},
  }),
]
const REFUSE = `
  CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.external_id = 'evt_usr_2' THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$;
  CREATE TRIGGER refuse BEFORE UPDATE ON webhook_events FOR EACH ROW EXECUTE FUNCTION refuse()`

it('erases other users when the database refuses one event', async () => {
  await withInbox({ handlers }, async inbox => {
    const { database } = inbox
    for (const user of ['usr_1', 'usr_2', 'usr_3']) await inbox.send({ type: 't', data: { user } }, { id: `evt_${user}` })
    await database.query(
      `INSERT INTO users (id, external_id, erased_at, events_due_at, created_at, updated_at) SELECT gen_random_uuid(), name,
         now() - interval '1 hour', now() - interval '1 hour', now(), now() FROM unnest(ARRAY['usr_1', 'usr_2', 'usr_3']) AS name`,
    )
    await database.query(REFUSE)
    expect(await inbox.maintain()).toMatchObject({ outcome: 'failed', erased: { events: { error: 'P0001' } } })
    expect(await inbox.rows()).toMatchObject([{ body: false }, { id: 'evt_usr_2', body: true }, { body: false }])
    await database.query('DROP TRIGGER refuse ON webhook_events')
    expect(await inbox.maintain()).toMatchObject({ erased: { events: 1 } })
    expect((await inbox.rows()).map(({ body }) => body)).toEqual([false, false, false])
  })
})
