import type { Proofs, ProofTools } from '../functions-runtime/src/api/proofs.ts'

const AMOUNT = '12.50'

// Counts every insert that was tried, also one that changed nothing because the row was there.
const COUNT_WRITES = `
  CREATE TABLE proof_writes (what text, id text);
  CREATE FUNCTION note_write() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO public.proof_writes VALUES (TG_TABLE_NAME, NEW.external_id); RETURN NEW; END $$;
  CREATE TRIGGER note_write BEFORE INSERT ON transactions FOR EACH ROW EXECUTE FUNCTION note_write();
  CREATE TRIGGER note_write BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION note_write()`

const INSERT_USER = `
  INSERT INTO users (id, email, name, external_id, created_at, updated_at)
  VALUES (gen_random_uuid(), $1 || '@example.com', 'Ada', $1, now(), now())`
const INSERT_TRANSACTION = `
  INSERT INTO transactions (id, external_id, user_external_id, amount, currency, status, occurred_at, created_at, updated_at)
  VALUES (gen_random_uuid(), $1, $1, ${AMOUNT}, 'EUR', 'completed', now(), now(), now())`

const MAKE_DUE = 'UPDATE webhook_events SET next_attempt_at = now() WHERE outcome IS NULL AND external_id = $1 RETURNING id'
// Each run of maintenance makes one attempt.
const MOST_ATTEMPTS = 10

/** Runs maintenance until an event that was stored for later is applied, as its schedule does. */
async function applyDeferred(id: string, { query, call }: ProofTools): Promise<void> {
  for (let attempts = 0; (await query(MAKE_DUE, [id])).length > 0; attempts += 1) {
    if (attempts === MOST_ATTEMPTS) throw new Error(`${id} is still pending after ${MOST_ATTEMPTS} runs of maintenance`)
    await call('ops/maintenance', { input: { task: 'maintenance' } })
  }
}

/** How often something was written about the user of a run, and what that user has now. */
const effectsOn = (table: string) => `
  SELECT id, count(*)::int AS times,
    (SELECT sum(balances.amount)::text FROM balances JOIN users ON users.id = user_id WHERE external_id = proof_writes.id) AS amount
  FROM proof_writes WHERE id = ANY ($1) AND what = '${table}' GROUP BY 1`

/** What `npm run prove` cuts off at every point. The id of a run is the name of its user and of its transaction. */
export const proofs: Proofs = {
  prepare: COUNT_WRITES,
  operations: [
    {
      name: 'webhook applied',
      function: 'api/webhook',
      before: async (id, { query }) => void (await query(INSERT_USER, [id])),
      request: id => ({
        source: 'demo',
        type: 'transaction.completed',
        data: { transactionId: id, userId: id, amount: AMOUNT, currency: 'EUR' },
      }),
      after: applyDeferred,
      effects: effectsOn('transactions'),
      amount: AMOUNT,
    },
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
  ],
}
