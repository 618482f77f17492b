/** A row that no test provokes, and why not. */
export interface NotHere {
  key: string
  reason: string
}

const NOT_IN_SERVER = 'defined by PostgreSQL for others to use: no code of the server or of its own extensions reports it'
const OTHER_PRODUCT = 'reported by databases that are compatible with PostgreSQL, not by it'

/**
 * What cannot be raised here. Of those with a SQLSTATE a test has the server send the code all the same, so that it is
 * known to arrive as the table expects it.
 */
export const cannotBeRaisedHere: readonly NotHere[] = [
  { key: '08004', reason: NOT_IN_SERVER },
  { key: '08007', reason: NOT_IN_SERVER },
  { key: '40002', reason: NOT_IN_SERVER },
  { key: '40003', reason: NOT_IN_SERVER },
  { key: 'CR000', reason: OTHER_PRODUCT },
  { key: '40000', reason: 'reported only by the decoding of a transaction that is rolled back meanwhile, to output plugins and not to clients' },
  { key: '57P02', reason: 'sent as a warning, never as an error: after it the connection ends, which is the error that is met (a test shows it)' },
  {
    key: '58000',
    reason:
      'reported when a call to the operating system fails that has no code of its own, such as pg_promote signalling its own server: the machine would have to be broken',
  },
  { key: '08P01:shutting-down', reason: 'PgBouncer 1.18 closes its clients without a word, in every kind of shutdown' },
  { key: '08P01:pause-failed', reason: 'PgBouncer 1.18 has no such text: PAUSE makes clients wait until query_wait_timeout' },
  { key: 'route-lost', reason: 'Linux reports a route that vanishes under a connection as ETIMEDOUT; only a router that answers so makes it this' },
  { key: 'text:ssl-eof', reason: 'words of libpq, which pg does not use; the server repeats them only in messages that have a SQLSTATE' },
  { key: 'text:connecting-ended', reason: 'sequelize says so when a connection ends before pg reports anything, and pg 8.23 always reports first' },
]
