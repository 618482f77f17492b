import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Proofs, ProofTools, ProvenOperation, ProvenWebhook } from '../functions-runtime/src/api/proofs.ts'
import { dueErasures } from './migrations/2026-11-29-02-due-erasures.ts'
import { indexDueErasures } from './migrations/2026-11-29-03-index-due-erasures.ts'

const AMOUNT = '12.50'
// Of maintenance, which begins nothing that it has less than two seconds for.
const MAINTENANCE_MS = 6_000
const MIGRATION_MS = 3_000

// Counts every insert that was tried, also one that changed nothing because the row was there. What is named in
// `proof_failures` cannot be stored: the error means that the server lacks means, so it may pass.
const PREPARATION = `
  CREATE TABLE proof_writes (what text, id text);
  CREATE TABLE proof_failures (id text);
  CREATE FUNCTION note_write() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT FROM public.proof_failures WHERE id = NEW.external_id) THEN
        RAISE EXCEPTION 'not now' USING ERRCODE = '53100';
      END IF;
      INSERT INTO public.proof_writes VALUES (TG_TABLE_NAME, NEW.external_id);
      RETURN NEW;
    END $$;
  CREATE TRIGGER note_write BEFORE INSERT ON public.transactions FOR EACH ROW EXECUTE FUNCTION note_write();
  CREATE TRIGGER note_write BEFORE INSERT ON public.users FOR EACH ROW EXECUTE FUNCTION note_write()`

const INSERT_USER = `
  INSERT INTO public.users (id, email, name, external_id, created_at, updated_at)
  VALUES ($2::uuid, $1 || '@example.com', 'Ada', $1, now(), now())`
const INSERT_TRANSACTION = `
  INSERT INTO public.transactions (id, external_id, user_external_id, amount, currency, status, occurred_at, created_at, updated_at)
  VALUES (gen_random_uuid(), $1, $1, ${AMOUNT}, 'EUR', 'completed', now(), now(), now())`
const FAIL = 'INSERT INTO proof_failures VALUES ($1)'
const STOP_FAILING = 'DELETE FROM proof_failures WHERE id = $1'
const MAKE_DUE = 'UPDATE public.webhook_events SET next_attempt_at = now() WHERE outcome IS NULL AND external_id = $1 RETURNING id'
const FIND_EVENT = 'SELECT FROM public.webhook_events WHERE external_id = $1'
// One in a transaction, one without.
const REPEATED = [dueErasures, indexDueErasures]
const MIGRATIONS = REPEATED.map(({ name }) => `'${name}'`).join(', ')
const UNDO_MIGRATIONS = `
  ALTER TABLE public.users DROP COLUMN IF EXISTS events_due_at;
  DROP INDEX IF EXISTS webhook_events_unattributed;
  DELETE FROM public.schema_migrations WHERE name IN (${MIGRATIONS})`
const INDEXES_ARE_VALID = `2 = (
  SELECT count(*) FROM pg_index WHERE indisvalid AND indexrelid IN (to_regclass('users_events_due_at'), to_regclass('webhook_events_unattributed')))`
const MOST_ROUNDS = 20
// One that was killed holds the buffer for as long as it could have run.
const NEXT_ROUND_MS = 500

/** How often something was written about the user of a run, and what that user has now. */
const effectsOn = (table: string) => `
  SELECT id, count(*)::int AS times,
    (SELECT sum(b.amount)::text FROM public.balances AS b JOIN public.users AS u ON u.id = b.user_id WHERE u.external_id = proof_writes.id) AS amount
  FROM proof_writes WHERE id = ANY ($1) AND what = '${table}' GROUP BY 1`

/** Returns the id of the user of a run: a UUID. */
function uuidOf(id: string): string {
  const digits = createHash('md5').update(id).digest('hex')
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-8${digits.slice(17, 20)}-${digits.slice(20)}`
}

const transactionCompleted = (id: string): ProvenWebhook => ({
  source: 'demo',
  type: 'transaction.completed',
  data: { transactionId: id, userId: id, amount: AMOUNT, currency: 'EUR' },
})

const insertUser = async (id: string, { query }: ProofTools) => void (await query(INSERT_USER, [id, uuidOf(id)]))

/** Runs maintenance until an event that is buffered or deferred is applied, as its schedule does. */
async function bringToItsEnd(id: string, { query, call }: ProofTools): Promise<void> {
  await query(STOP_FAILING, [id])
  for (let rounds = 0; (await query(MAKE_DUE, [id])).length > 0 || (await query(FIND_EVENT, [id])).length === 0; rounds += 1) {
    if (rounds === MOST_ROUNDS) throw new Error(`${id} is not applied after ${MOST_ROUNDS} runs of maintenance`)
    if (rounds > 0) await sleep(NEXT_ROUND_MS)
    await call('ops/maintenance', { input: { task: 'maintenance' } })
  }
}

const ofWebhooks: Pick<ProvenOperation, 'function' | 'before' | 'request' | 'after' | 'effects' | 'amount'> = {
  function: 'api/webhook',
  before: insertUser,
  request: transactionCompleted,
  after: bringToItsEnd,
  effects: effectsOn('transactions'),
  amount: AMOUNT,
}
const ofMaintenance = {
  ...ofWebhooks,
  inAllOnly: true,
  function: 'ops/maintenance',
  request: () => ({ input: { task: 'maintenance' } }),
  deadlineMs: MAINTENANCE_MS,
}

/** What `npm run prove` cuts off at every point. The id of a run is the name of its user and of its transaction. */
export const proofs: Proofs = {
  prepare: PREPARATION,
  operations: [
    { ...ofWebhooks, name: 'webhook applied' },
    {
      name: 'user created',
      function: 'api/user',
      before: async (id, { query }) => void (await query(INSERT_TRANSACTION, [id])),
      request: id => ({
        method: 'POST',
        path: '/',
        headers: { 'idempotency-key': id },
        body: { email: `${id}@example.com`, name: 'Ada', externalId: id },
      }),
      effects: effectsOn('users'),
      amount: AMOUNT,
    },
    {
      ...ofWebhooks,
      name: 'webhook duplicate',
      inAllOnly: true,
      async before(id, tools) {
        await insertUser(id, tools)
        await tools.call('api/webhook', transactionCompleted(id))
      },
    },
    {
      ...ofWebhooks,
      name: 'webhook deferred',
      inAllOnly: true,
      async before(id, tools) {
        await insertUser(id, tools)
        await tools.query(FAIL, [id])
      },
    },
    {
      name: 'user changed',
      inAllOnly: true,
      function: 'api/user',
      before: insertUser,
      request: id => ({ method: 'PATCH', path: `/${uuidOf(id)}`, headers: { 'if-match': '*' }, body: { name: `Ada ${id}` } }),
      effects:
        "SELECT external_id AS id, count(*)::int AS times FROM public.users WHERE external_id = ANY ($1) AND name = 'Ada ' || external_id GROUP BY 1",
    },
    {
      ...ofMaintenance,
      name: 'later attempt',
      async before(id, tools) {
        await insertUser(id, tools)
        await tools.query(FAIL, [id])
        await tools.call('api/webhook', transactionCompleted(id))
        await tools.query(STOP_FAILING, [id])
        await tools.query(MAKE_DUE, [id])
      },
    },
    {
      ...ofMaintenance,
      name: 'outage buffer drained',
      buffered: true,
      async before(id, tools) {
        await insertUser(id, tools)
        await tools.withoutDatabase(() => tools.call('api/webhook', transactionCompleted(id), { deadlineMs: 1_000 }))
      },
    },
    {
      name: 'migrated',
      inAllOnly: true,
      alone: true,
      function: 'ops/migrate',
      ways: ['direct'],
      before: async (_id, { query }) => void (await query(UNDO_MIGRATIONS)),
      request: () => ({ input: {} }),
      effects: `
        SELECT id, ((SELECT count(*) FROM public.schema_migrations WHERE name IN (${MIGRATIONS})) = ${REPEATED.length} AND ${INDEXES_ARE_VALID})::int AS times
        FROM unnest($1::text[]) AS ids (id)`,
      deadlineMs: MIGRATION_MS,
    },
  ],
}
