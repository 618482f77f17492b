/** What has happened since the start or the last reset. Bytes are those of the protocol, without TLS. */
export interface Counts {
  /** TCP connections that were accepted and not cut in the same moment. */
  connections: number
  /** TCP connections that were cut as they came: by `refuse`, or by a fault at `accept`. */
  refusedConnections: number
  /**
   * How often a client had to wait: flights of a client that got an answer. A flight begins with the first thing that
   * a client sends after it was last sent something, and is counted when the next thing is sent to it; what the server
   * says unasked, and a flight without an answer (Terminate), do not count. The TLS handshake counts as one, with TLS
   * 1.2 and no resumption as two. The TCP handshake, which the proxy does not see, is left out.
   *
   * The order is that at the proxy's end of the client's socket. Of a flight that a client writes bit by bit the first
   * may be answered before the last has come; a delay of a few milliseconds rules that out.
   *
   * node-postgres with SCRAM over TLS 1.3 has made 6 when its first query is answered: SSLRequest, TLS, start-up,
   * the two of SCRAM, query. With direct TLS it is 5, without TLS 4.
   */
  roundTrips: number
  /** Statements that reached the proxy, as `StatementReader` tells them. */
  statements: number
  bytesFromClients: number
  bytesToClients: number
  /** Clients' connections that are open now; a reset does not touch it. */
  open: number
}

/** A message of a client: its name in the protocol's documentation, and the statement that begins with it. */
export interface LoggedMessage {
  type: string
  statement?: string
}

/** What one connection sent, flight by flight. Connections are numbered from 1 since the proxy's start. */
export interface ConnectionLog {
  connection: number
  flights: LoggedMessage[][]
}

/** Takes note of what goes over one connection, seen from its client's end. */
export interface ConnectionRecord {
  accepted: () => void
  refused: () => void
  sent: (message: LoggedMessage, bytes: number) => void
  answered: (bytes: number) => void
  shookHands: (roundTrips: number) => void
}

const NOTHING: Omit<Counts, 'open'> = { connections: 0, refusedConnections: 0, roundTrips: 0, statements: 0, bytesFromClients: 0, bytesToClients: 0 }

/** Keeps the counts and the log of all connections. */
export class Recorder {
  #counts = { ...NOTHING }
  #logs = new Map<number, ConnectionLog>()
  /** Of all connections, in the order in which they began. */
  #flights = new Set<LoggedMessage[]>()
  #connections = 0

  reset(): void {
    this.#counts = { ...NOTHING }
    this.#logs = new Map()
    this.#flights = new Set()
  }

  counts(open: number): Counts {
    return { ...this.#counts, open }
  }

  log(): ConnectionLog[] {
    return structuredClone([...this.#logs.values()])
  }

  statementFlights(): string[][] {
    return [...this.#flights].map(flight => flight.flatMap(({ statement }) => statement ?? [])).filter(statements => statements.length > 0)
  }

  connection(): ConnectionRecord {
    const number = ++this.#connections
    let flight: LoggedMessage[] | undefined
    return {
      accepted: () => void (this.#counts.connections += 1),
      refused: () => void (this.#counts.refusedConnections += 1),
      sent: (message, bytes) => {
        this.#counts.bytesFromClients += bytes
        if (message.statement !== undefined) this.#counts.statements += 1
        // After a reset in the middle of a flight the rest of it is logged as one.
        if (flight === undefined || !this.#flights.has(flight)) this.#begin(number, (flight = []))
        flight.push(message)
      },
      answered: bytes => {
        this.#counts.bytesToClients += bytes
        if (flight !== undefined) this.#counts.roundTrips += 1
        flight = undefined
      },
      shookHands: roundTrips => void (this.#counts.roundTrips += roundTrips),
    }
  }

  #begin(connection: number, flight: LoggedMessage[]): void {
    this.#flights.add(flight)
    const log = this.#logs.get(connection) ?? { connection, flights: [] }
    log.flights.push(flight)
    this.#logs.set(connection, log)
  }
}
