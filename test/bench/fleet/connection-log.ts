/** What a server's log says about the connections of one user. */
export interface ConnectionCounts {
  /** Those that got in. */
  connects: number
  /** Those that were turned away because the server was full. */
  turnedAway: number
}

/** Counts connections by the lines that `log_connections` makes. */
export function countConnections(user: string): { read(line: string): void; counts(): ConnectionCounts } {
  let authorized = 0
  let full = 0
  let reserved = 0
  return {
    read(line) {
      if (line.includes(`connection authorized: user=${user} `)) authorized += 1
      else if (line.includes('sorry, too many clients already')) full += 1
      else if (line.includes('remaining connection slots are reserved')) reserved += 1
    },
    // Whoever is told that the rest is reserved has been authorized before.
    counts: () => ({ connects: authorized - reserved, turnedAway: full + reserved }),
  }
}

/** Counts the clients that have logged in to PgBouncer, by its log; it may come in pieces. */
export function countLogins(): { read(text: string): void; counts(): ConnectionCounts } {
  let logins = 0
  let rest = ''
  return {
    read(text) {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      logins += lines.filter(line => line.includes('login attempt:') && !line.includes('db=pgbouncer')).length
    },
    counts: () => ({ connects: logins, turnedAway: 0 }),
  }
}
