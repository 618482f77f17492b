import type { Proofs } from 'postgres-faults'

export const proofs: Proofs = {
  operations: [
    {
      name: 'note kept',
      function: 'api/hello',
      request: id => ({ method: 'PUT', path: `/notes/${id}` }),
      effects: 'SELECT name AS id, count(*)::int AS times FROM notes WHERE name = ANY ($1) GROUP BY 1',
    },
  ],
}
