/** A message of the protocol after log-in has begun: a letter, a length, and the rest. */
export interface Message {
  type: string
  /** The whole of it, letter and length included. */
  bytes: Buffer
}

const CLIENT_MESSAGES: Readonly<Record<string, string>> = {
  B: 'Bind',
  C: 'Close',
  D: 'Describe',
  E: 'Execute',
  F: 'FunctionCall',
  H: 'Flush',
  P: 'Parse',
  Q: 'Query',
  S: 'Sync',
  X: 'Terminate',
  c: 'CopyDone',
  d: 'CopyData',
  f: 'CopyFail',
  // SASLInitialResponse, SASLResponse and PasswordMessage share one letter.
  p: 'Password',
}

/** What the protocol's documentation calls a client's message. */
export function clientMessageName(type: string): string {
  return CLIENT_MESSAGES[type] ?? type
}

const SERVER_MESSAGES: Readonly<Record<string, string>> = {
  1: 'ParseComplete',
  2: 'BindComplete',
  3: 'CloseComplete',
  A: 'NotificationResponse',
  C: 'CommandComplete',
  D: 'DataRow',
  E: 'ErrorResponse',
  G: 'CopyInResponse',
  H: 'CopyOutResponse',
  I: 'EmptyQueryResponse',
  K: 'BackendKeyData',
  N: 'NoticeResponse',
  R: 'Authentication',
  S: 'ParameterStatus',
  T: 'RowDescription',
  V: 'FunctionCallResponse',
  Z: 'ReadyForQuery',
  c: 'CopyDone',
  d: 'CopyData',
  n: 'NoData',
  s: 'PortalSuspended',
  t: 'ParameterDescription',
  v: 'NegotiateProtocolVersion',
}

/** What the protocol's documentation calls a server's message. */
export function serverMessageName(type: string): string {
  return SERVER_MESSAGES[type] ?? type
}

/** What a server says when it refuses something. */
export interface ErrorFields {
  /** Default `ERROR`. After `FATAL` the connection is closed, as a server does. */
  severity?: 'ERROR' | 'FATAL'
  /** The SQLSTATE. */
  code: string
  message: string
}

/** Length of the letter and the length field in front of a message's body. */
export const HEADER_BYTES = 5

/** Cuts a stream into messages, however it was divided into chunks. */
export class MessageSplitter {
  #chunks: Buffer[] = []
  #length = 0
  /** With fewer bytes than this there is no further message. */
  #needed = HEADER_BYTES

  /** The messages that the chunk completes. */
  split(chunk: Buffer): Message[] {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    // Put together once, not chunk by chunk: messages may have megabytes.
    if (this.#length < this.#needed) return []
    const messages: Message[] = []
    let rest = Buffer.concat(this.#chunks)
    for (;;) {
      this.#needed = rest.length < HEADER_BYTES ? HEADER_BYTES : 1 + rest.readInt32BE(1)
      if (rest.length < this.#needed) break
      messages.push({ type: String.fromCharCode(rest.readUInt8(0)), bytes: rest.subarray(0, this.#needed) })
      rest = rest.subarray(this.#needed)
    }
    this.#chunks = [rest]
    this.#length = rest.length
    return messages
  }
}

/** An ErrorResponse. */
export function errorResponse({ severity = 'ERROR', code, message }: ErrorFields): Buffer {
  return encode('E', `S${severity}\0V${severity}\0C${code}\0M${message}\0\0`)
}

/**
 * Something to send in place of a message that begins a statement: a statement that cannot be parsed. The server then
 * fails as it would for the real one (the transaction is aborted, the rest up to Sync is skipped) but executes nothing.
 */
export function brokenStatement(type: string): Buffer {
  const text = 'replaced by the proxy\0'
  return type === 'Q' ? encode('Q', text) : encode('P', `\0${text}\0\0`)
}

function encode(type: string, body: string): Buffer {
  const bytes = Buffer.from(`${type}\0\0\0\0${body}`)
  bytes.writeInt32BE(bytes.length - 1, 1)
  return bytes
}
