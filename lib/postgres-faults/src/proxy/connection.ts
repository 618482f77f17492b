import { type Socket } from 'node:net'
import { type SecureContext } from 'node:tls'
import { type ConnectFault, type Cut, type Faults } from './faults.ts'
import { join } from './join.ts'
import { Line } from './line.ts'
import { errorResponse } from './messages.ts'
import { CANCEL_REQUEST, negotiate } from './negotiation.ts'
import { readPacket } from './reading.ts'
import { type ConnectionRecord } from './recorder.ts'
import { Relay } from './relay.ts'
import { Sockets } from './sockets.ts'
import { connectTarget, type Target } from './target.ts'
import { type CutConnection, type Wire, type WireConnection } from './wire.ts'

export interface ConnectionOptions {
  target: Target
  /** Without it clients that ask for TLS are told that there is none. */
  secureContext: SecureContext | undefined
  faults: Faults
  record: ConnectionRecord
  wire: Wire
  delayMs: () => number
}

/** One client's connection, from TCP's acceptance on. Everything that goes over it takes one of two lines. */
export class Connection {
  readonly #options: ConnectionOptions
  readonly #sockets: Sockets
  readonly #toServer: Line
  readonly #toClient: Line
  readonly #wire: WireConnection
  /** For good, by a fault. */
  #silenced = false
  #cut = false
  /** Cut at a point of the wire: what comes from either side belongs to nobody. */
  #over = false

  constructor(client: Socket, options: ConnectionOptions) {
    this.#options = options
    this.#sockets = new Sockets(client)
    this.#toServer = new Line(options.delayMs)
    this.#toClient = new Line(options.delayMs)
    this.#wire = options.wire.connection({
      cut: manner => {
        this.#over = true
        this.cut(manner)
      },
      stopPassing: then => this.#stopPassing(then),
    })
  }

  /** Resolves when nothing of it is open any more. */
  get closed(): Promise<void> {
    return this.#sockets.closed
  }

  get isOpen(): boolean {
    return this.#sockets.isClientOpen
  }

  /** Takes the client in and connects it with the server. Resolves when both talk, or never will. */
  async serve(): Promise<void> {
    try {
      await this.#connect()
    } catch {
      // The client has gone, or the server is not there. Behind what is held: a silent connection does not even end.
      if (!this.#over) this.cut('reset')
    }
  }

  /** Turns the client away without a word. */
  refuse(manner: 'reset' | 'close'): void {
    this.#options.record.refused()
    this.cutNow(manner)
  }

  /** Lets nothing pass, and nobody notice; data and ends are kept for `release`. */
  hold(): void {
    this.#toServer.hold()
    this.#toClient.hold()
  }

  release(): void {
    if (this.#silenced) return
    this.#toServer.release()
    this.#toClient.release()
  }

  /** Cuts it behind what is on its way. */
  cut(manner: Cut): void {
    if (manner === 'silence') {
      this.#silenced = true
      this.hold()
      return
    }
    this.#toServer.push(() => this.#sockets.endServer())
    this.#toClient.push(() => this.#sockets.endClient(manner))
  }

  /** Cuts it at once, silenced or not; what is on its way is lost. */
  cutNow(manner: 'reset' | 'close'): void {
    this.#cut = true
    this.#toServer.close()
    this.#toClient.close()
    this.#sockets.endServer()
    this.#sockets.endClient(manner)
  }

  async destroy(): Promise<void> {
    this.#cut = true
    this.#toServer.close()
    this.#toClient.close()
    this.#sockets.destroy()
    await this.closed
  }

  async #connect(): Promise<void> {
    const { target, secureContext, record } = this.#options
    if (!(await this.#survives('accept'))) return
    const roundTrip = () => new Promise<void>(resolve => this.#toServer.push(() => this.#toClient.push(resolve)))
    const client = await negotiate(this.#sockets.client, { secureContext, record, wire: this.#wire, roundTrip })
    this.#sockets.useForClient(client)
    if (!(await this.#survives('tls'))) return
    const packet = await readPacket(client)
    const cancels = packet.readInt32BE(4) === CANCEL_REQUEST
    record.sent({ type: cancels ? 'CancelRequest' : 'StartupMessage' }, packet.length)
    if (!cancels && !(await this.#survives('startup'))) return
    const server = await connectTarget(target, socket => this.#sockets.useForServer(socket))
    if (this.#cut) this.#sockets.endServer()
    else this.#join(client, server, packet, cancels ? 'CancelRequest' : 'StartupMessage')
  }

  async #survives(stage: ConnectFault['when']): Promise<boolean> {
    const { faults, record } = this.#options
    const match = faults.atConnect(stage)
    const action = match?.fault.action
    if (stage === 'accept') (action === 'reset' || action === 'close' ? record.refused : record.accepted)()
    match?.fire()
    if (action === undefined) return true
    if (typeof action === 'object' && 'delayMs' in action) {
      await new Promise<void>(resolve => this.#toClient.push(resolve, action.delayMs))
      return true
    }
    if (typeof action === 'object') this.#answer(errorResponse({ severity: 'FATAL', ...action.error }))
    this.cut(typeof action === 'object' ? 'close' : action)
    return false
  }

  #answer(bytes: Buffer, extraMs = 0): void {
    this.#toClient.push(() => {
      this.#options.record.answered(bytes.length)
      this.#sockets.sendToClient(bytes)
    }, extraMs)
  }

  #stopPassing(then: (connection: CutConnection) => void): void {
    this.#over = true
    this.#toServer.push(() =>
      this.#toClient.push(() => {
        this.#silenced = true
        this.hold()
        // Written in the next turn of the event loop.
        setImmediate(() => then({ serverHasEnded: () => this.#sockets.serverHasEnded, end: manner => this.cutNow(manner) }))
      }),
    )
  }

  #join(client: Socket, server: Socket, startup: Buffer, type: string): void {
    const { faults, record } = this.#options
    const toServer = (bytes: Buffer, extraMs = 0) => this.#toServer.push(() => this.#sockets.sendToServer(bytes), extraMs)
    const toClient = (bytes: Buffer, extraMs = 0) => this.#answer(bytes, extraMs)
    if (this.#wire.takes({ from: 'client', type, bytes: startup, pass: toServer })) toServer(startup)
    join({
      client,
      server,
      relay: new Relay({ faults, toServer, toClient, cut: manner => this.cut(manner) }),
      record,
      wire: this.#wire,
      toServer,
      toClient,
      isCut: () => this.#cut || this.#over,
      clientHasGone: () => this.#over || this.#toServer.push(() => this.#sockets.endServer()),
      serverHasGone: manner => this.#over || this.#toClient.push(() => this.#sockets.endClient(manner)),
    })
  }
}
