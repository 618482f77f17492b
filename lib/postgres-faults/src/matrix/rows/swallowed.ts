import { type Row } from '../row.ts'

/** The work catches a statement's error and goes on as if nothing had happened. */
export const swallowedError: Row = {
  number: 16,
  fault: 'an error swallowed in a transaction',
  variants: ['after the writes', 'and written on'],
  // Statements of a read stand each for itself.
  codes: ({ kind }) => (kind === 'read' ? [] : ['transaction-rolled-back']),
  async scenario({ call, kind, variant, find }) {
    await call()
    const { outcome } = await call({
      async extra(work) {
        await work.query('SELECT 1 / 0').catch(() => undefined)
        if (variant === 'and written on' && kind !== 'read') {
          await work.query("INSERT INTO logs (operation) VALUES ('nobody')").catch(() => undefined)
        }
      },
    })
    if (kind !== 'read' && outcome.kind === 'ok') find('a transaction that was rolled back is reported as committed')
    await call()
  },
}
