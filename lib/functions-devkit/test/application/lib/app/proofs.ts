import type { Proofs } from '../../../../../functions-runtime/src/api/proofs.ts'

/** A second event of the same transaction fails, so each row proves one application. */
export const proofs: Proofs = {
  operations: [
    {
      name: 'webhook applied',
      function: 'api/webhook',
      request: id => ({
        source: 'demo',
        type: 'transaction.completed',
        data: { transactionId: id, userId: `usr_${id}`, amount: '12.50', currency: 'EUR' },
      }),
      async after(id, { query, call }) {
        const makeDue = 'UPDATE public.webhook_events SET next_attempt_at = now() WHERE outcome IS NULL AND external_id = $1 RETURNING id'
        while ((await query(makeDue, [id])).length > 0) await call('ops/maintenance', { input: { task: 'maintenance' } })
      },
      effects: `
        SELECT external_id AS id, count(*)::int AS times, sum(amount)::text AS amount
        FROM public.transactions WHERE external_id = ANY ($1) GROUP BY 1`,
      amount: '12.50',
    },
  ],
}
