import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { type AddedFault, type Cut } from './faults.ts'
import { RecordSplitter } from './tls-records.ts'

/** Which TLS record is cut, and how much of it passes. */
export interface RecordCut {
  readonly from: 'client' | 'server'
  /** How many records of that direction pass before it, over all connections from now on; default 0. */
  readonly after?: number
  /** How many of its bytes pass; if negative, all but so many. The first 5 are its header. */
  readonly bytes: number
  /** What both sides see then, without a close_notify: the client an RST, a FIN, or nothing; the server a FIN, or nothing. */
  readonly manner: Cut
}

/** Passes a TCP connection on record by record, and cuts one within a record of TLS. */
export interface RecordCutter {
  readonly host: string
  readonly port: number
  /** Adds a cut; of several the first that was added comes first. */
  addCut(cut: RecordCut): AddedFault
  /** Resolves when what had left a process of this machine by now has passed. */
  passed(): Promise<void>
  stop(): Promise<void>
}

interface Waiting {
  readonly cut: RecordCut
  toPass: number
  fire(): void
}

const HOST = '127.0.0.1'

/**
 * Starts one on a free port of 127.0.0.1. It stands in front of whatever ends TLS, such as a fault proxy, and knows
 * nothing of what is inside of the records.
 */
export async function startRecordCutter(target: { readonly host: string; readonly port: number }): Promise<RecordCutter> {
  const waiting = new Set<Waiting>()
  const sockets = new Set<Socket>()
  const own = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    return socket
  }
  const server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    const upstream = own(connect({ ...target, noDelay: true, allowHalfOpen: true }))
    forward({ client: own(socket), server: upstream }, from => take(waiting, from))
  }).listen(0, HOST)
  await once(server, 'listening')

  return {
    host: HOST,
    port: (server.address() as AddressInfo).port,
    addCut(cut) {
      const { promise: firstFired, resolve } = Promise.withResolvers<void>()
      let fired = 0
      const added: Waiting = { cut, toPass: cut.after ?? 0, fire: () => ((fired += 1), resolve()) }
      waiting.add(added)
      return { fired: () => fired, firstFired, remove: () => void waiting.delete(added) }
    },
    async passed() {
      // Written in one turn of the event loop, read in the next, and passed on in that.
      for (let turns = 0; turns < 3; turns += 1) await turn()
    },
    async stop() {
      const closed = once(server.close(), 'close')
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** The cut that the next record of a direction meets, if any. */
function take(waiting: Set<Waiting>, from: RecordCut['from']): Waiting | undefined {
  for (const added of waiting) {
    if (added.cut.from !== from) continue
    if (added.toPass === 0) {
      waiting.delete(added)
      return added
    }
    added.toPass -= 1
  }
  return undefined
}

function forward(pair: { readonly client: Socket; readonly server: Socket }, take: (from: RecordCut['from']) => Waiting | undefined): void {
  let isCut = false
  const pass = (from: RecordCut['from']) => {
    const [source, sink] = from === 'client' ? [pair.client, pair.server] : [pair.server, pair.client]
    const splitter = new RecordSplitter(from)
    source.on('data', (chunk: Buffer) => {
      for (const { isRecord, bytes } of splitter.split(chunk)) {
        if (isCut) return
        const met = isRecord ? take(from) : undefined
        if (met === undefined) sink.write(bytes)
        else strike(sink, bytes, met)
      }
    })
    source.on('end', () => {
      if (!isCut) sink.end()
    })
    source.on('close', failed => {
      if (isCut) return
      if (failed) sink.resetAndDestroy()
      else sink.destroySoon()
    })
  }
  const strike = (sink: Socket, bytes: Buffer, { cut, fire }: Waiting) => {
    isCut = true
    sink.write(bytes.subarray(0, cut.bytes < 0 ? Math.max(0, bytes.length + cut.bytes) : cut.bytes), () => {
      end(pair, cut.manner)
      fire()
    })
  }
  pass('client')
  pass('server')
}

function end({ client, server }: { readonly client: Socket; readonly server: Socket }, manner: Cut): void {
  if (manner === 'silence') return
  server.end()
  if (manner === 'reset') client.resetAndDestroy()
  else client.end()
}
