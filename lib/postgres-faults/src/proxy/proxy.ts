import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { createSecureContext } from 'node:tls'
import { makeCertificates, type TestCertificates } from '../certificates.ts'
import { claimPort, isInUse, type ClaimedPort } from './claimed-port.ts'
import { Connection } from './connection.ts'
import { Faults, type AddedFault, type Fault } from './faults.ts'
import { Recorder, type ConnectionLog, type Counts } from './recorder.ts'
import { type Target } from './target.ts'
import { Wire, type AddedCut, type CutAction, type CutPoint, type Recording } from './wire.ts'

export interface ProxyOptions {
  target: Target
  /** What the proxy shows to clients; by default made for it. `false`: it has no TLS. */
  certificates?: TestCertificates | false
  /** How long everything takes in each direction. */
  delayMs?: number
}

/**
 * How new connections are refused: `reset` and `close` as soon as TCP has accepted them, `unreachable` by nobody
 * listening on the port (ECONNREFUSED).
 */
export type RefusalManner = 'reset' | 'close' | 'unreachable'

/** A proxy in front of PostgreSQL that counts, and that goes wrong on command. */
export interface Proxy {
  host: string
  port: number
  /** PEM of the authority to verify the proxy with; empty without TLS. */
  authority: string
  counts(): Counts
  /** Begins counts and logs anew. */
  resetCounts(): void
  /** What clients have sent since the last reset, message by message. */
  log(): ConnectionLog[]
  /** The statements alone: a list for each flight that held any, over all connections in the order they began. */
  statementFlights(): string[][]
  addFault(fault: Fault): AddedFault
  /** Records everything that passes from now on, in both directions, from a client's first byte. */
  record(): Recording
  /** Cuts the connection that reaches a point, once: exactly what comes before the point is passed on. */
  cutAt(point: CutPoint, action: CutAction): AddedCut
  /** Refuses new connections, by `reset` unless told, until `accept`; existing ones stay. */
  refuse(manner?: RefusalManner): Promise<void>
  /** Resolves when new connections are accepted again. */
  accept(): Promise<void>
  /**
   * Lets nothing pass in any direction, ends of connections included. New connections are accepted by TCP and get
   * nothing. With `unsilence` everything that was kept back goes on.
   */
  silence(): void
  unsilence(): void
  /** Cuts all connections: an RST to each client, or close_notify and FIN; to the server always a FIN. */
  cutAll(manner: 'reset' | 'close'): void
  /** Leads new connections to another server, as when the address of a database moves; open ones stay. */
  retarget(target: Target): void
  /** Sets the delay in each direction for everything that comes from now on. */
  setDelay(delayMs: number): void
  /** Closes everything. */
  stop(): Promise<void>
}

/** What returns objects with methods, or calls back in the moment in which it takes effect. */
export type InProcess = 'addFault' | 'record' | 'cutAt'

const HOST = '127.0.0.1'

/**
 * Starts a proxy on a free port of 127.0.0.1. It ends TLS, which clients may ask for by SSLRequest or begin directly,
 * and passes on the messages of the PostgreSQL protocol (version 3) one by one, so that faults can be put between any
 * two. COPY FROM STDIN by the extended protocol is not followed.
 */
export async function startProxy({ target: firstTarget, certificates: given, delayMs: initialDelayMs = 0 }: ProxyOptions): Promise<Proxy> {
  const certificates = given ?? (await makeCertificates())
  const secureContext = certificates ? createSecureContext({ cert: certificates.certificate, key: certificates.key }) : undefined
  const connections = new Set<Connection>()
  const faults = new Faults()
  const recorder = new Recorder()
  const wire = new Wire()
  let target = firstTarget
  let delayMs = initialDelayMs
  let refusing: 'reset' | 'close' | undefined
  let silent = false

  // Another one after each time at which nobody listened.
  let listener: Server | undefined
  const shutListeners: Promise<unknown>[] = []

  function welcome(socket: Socket): void {
    const connection = new Connection(socket, { target, secureContext, faults, record: recorder.connection(), wire, delayMs: () => delayMs })
    connections.add(connection)
    void connection.closed.then(() => connections.delete(connection))
    if (silent) connection.hold()
    if (refusing) connection.refuse(refusing)
    else void connection.serve()
  }
  async function listen(): Promise<void> {
    if (listener) return
    // An end that is read is not answered by itself: it passes through the proxy as everything does.
    const server = createServer({ allowHalfOpen: true, noDelay: true }, welcome).listen(claim.port, HOST)
    listener = server
    try {
      await once(server, 'listening')
    } catch (error) {
      listener = undefined
      throw error
    }
  }
  async function listenSomewhere(): Promise<ClaimedPort> {
    for (;;) {
      claim = await claimPort()
      try {
        await listen()
        return claim
      } catch (error) {
        claim.release()
        if (!isInUse(error)) throw error
      }
    }
  }
  /** Nobody listens any more when this returns. */
  function shut(): void {
    if (listener) shutListeners.push(once(listener.close(), 'close'))
    listener = undefined
  }
  let claim: ClaimedPort
  const { port } = await listenSomewhere()

  return {
    host: HOST,
    port,
    authority: certificates ? certificates.authority : '',
    counts: () => recorder.counts([...connections].filter(({ isOpen }) => isOpen).length),
    resetCounts: () => recorder.reset(),
    log: () => recorder.log(),
    statementFlights: () => recorder.statementFlights(),
    addFault: fault => faults.add(fault),
    record: () => wire.record(),
    cutAt: (point, action) => wire.cutAt(point, action),
    async refuse(manner = 'reset') {
      refusing = manner === 'unreachable' ? undefined : manner
      if (manner === 'unreachable') shut()
      else await listen()
    },
    accept() {
      refusing = undefined
      return listen()
    },
    silence() {
      silent = true
      for (const connection of connections) connection.hold()
    },
    unsilence() {
      silent = false
      for (const connection of connections) connection.release()
    },
    cutAll(manner) {
      for (const connection of connections) connection.cutNow(manner)
    },
    retarget: other => void (target = other),
    setDelay: ms => void (delayMs = ms),
    async stop() {
      shut()
      await Promise.all([...connections].map(connection => connection.destroy()))
      await Promise.all(shutListeners)
      claim.release()
    },
  }
}
