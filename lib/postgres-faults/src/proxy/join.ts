import { type Socket } from 'node:net'
import { clientMessageName, MessageSplitter, serverMessageName } from './messages.ts'
import { type ConnectionRecord } from './recorder.ts'
import { type Relay } from './relay.ts'
import { StatementReader } from './statements.ts'
import { type WireConnection } from './wire.ts'

export interface JoinOptions {
  client: Socket
  server: Socket
  relay: Relay
  record: ConnectionRecord
  wire: WireConnection
  /** Pass bytes on past the relay. */
  toServer: (bytes: Buffer) => void
  toClient: (bytes: Buffer) => void
  /** Whether the connection has been cut: what is still read then is nobody's. */
  isCut: () => boolean
  clientHasGone: () => void
  serverHasGone: (manner: 'reset' | 'close') => void
}

/** Reads both sides of a connection from now on, message by message, and hands them to its relay. */
export function join({ client, server, relay, record, wire, toServer, toClient, isCut, clientHasGone, serverHasGone }: JoinOptions): void {
  const statements = new StatementReader()
  const sent = new MessageSplitter()
  const answered = new MessageSplitter()

  client.on('data', (chunk: Buffer) => {
    if (isCut()) return
    for (const message of sent.split(chunk)) {
      const statement = statements.read(message)
      const type = clientMessageName(message.type)
      record.sent({ type, ...(statement === undefined ? {} : { statement }) }, message.bytes.length)
      if (!wire.takes({ from: 'client', type, bytes: message.bytes, statement, pass: toServer })) return
      relay.fromClient(message, statement)
    }
  })
  server.on('data', (chunk: Buffer) => {
    if (isCut()) return
    for (const message of answered.split(chunk)) {
      if (!wire.takes({ from: 'server', type: serverMessageName(message.type), bytes: message.bytes, pass: toClient })) return
      relay.fromServer(message)
    }
  })
  client.on('end', clientHasGone).on('close', clientHasGone)
  server.on('end', () => serverHasGone('close')).on('close', failed => serverHasGone(failed ? 'reset' : 'close'))
  // What happened before the listeners were there.
  if (client.destroyed) clientHasGone()
  if (server.destroyed) serverHasGone('close')
  client.resume()
}
