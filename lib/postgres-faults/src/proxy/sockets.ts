import { type Socket } from 'node:net'

/**
 * The sockets of one connection: the client's, perhaps TLS over it, and the server's, perhaps TLS over it. None of
 * their errors is one of ours: whoever is on the other side is told by the end of its own connection.
 */
export class Sockets {
  readonly #accepted: Socket
  readonly #all = new Set<Socket>()
  readonly #closed = Promise.withResolvers<void>()
  #client: Socket
  #server: Socket | undefined
  /** Whether the client was sent a FIN. */
  #ended = false

  constructor(accepted: Socket) {
    this.#accepted = accepted
    this.#client = accepted
    this.#own(accepted)
  }

  get client(): Socket {
    return this.#client
  }

  get isClientOpen(): boolean {
    return !this.#accepted.destroyed
  }

  get serverHasEnded(): boolean {
    return this.#server === undefined || this.#server.readableEnded || this.#server.destroyed
  }

  get closed(): Promise<void> {
    return this.#closed.promise
  }

  useForClient(socket: Socket): void {
    this.#client = socket
    this.#own(socket)
  }

  useForServer(socket: Socket): void {
    this.#server = socket
    this.#own(socket)
  }

  sendToClient(bytes: Buffer): void {
    send(this.#client, bytes)
  }

  sendToServer(bytes: Buffer): void {
    if (this.#server) send(this.#server, bytes)
  }

  /** A FIN behind what was sent: an RST would make the server forget what it has not read yet. */
  endServer(): void {
    this.#server?.end()
  }

  /** `close` is close_notify and FIN, `reset` an RST. What was sent before still arrives. */
  endClient(manner: 'reset' | 'close'): void {
    if (manner === 'close') {
      this.#ended = true
      // Read on to see the client's own end, which closes the socket for good.
      this.#client.end().resume()
      return
    }
    // Only what has left the process survives an RST: the next turn of the event loop has written it. A socket whose FIN is on its way
    // cannot be reset: libuv would keep it open for ever.
    setImmediate(() => (this.#ended ? this.#accepted.destroy() : this.#accepted.resetAndDestroy()))
  }

  destroy(): void {
    for (const socket of this.#all) {
      // A failed reset closes a socket without an event.
      if (socket.closed) this.#forget(socket)
      else socket.destroy()
    }
  }

  #own(socket: Socket): void {
    if (this.#all.has(socket)) return
    this.#all.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#forget(socket))
  }

  #forget(socket: Socket): void {
    this.#all.delete(socket)
    if (this.#all.size === 0) this.#closed.resolve()
  }
}

/** Sends the messages of one turn of the event loop in one piece, as they came. */
function send(socket: Socket, bytes: Buffer): void {
  if (!socket.writable) return
  if (socket.writableCorked === 0) {
    socket.cork()
    process.nextTick(() => socket.uncork())
  }
  socket.write(bytes)
}
