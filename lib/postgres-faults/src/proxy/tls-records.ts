import { SSL_REQUEST } from './negotiation.ts'

/** A TLS record as it is on the wire, or what goes over a connection before TLS begins. */
export interface Piece {
  readonly isRecord: boolean
  readonly bytes: Buffer
}

/** Length of a record's header: content type, version, and the length of the rest. */
export const RECORD_HEADER_BYTES = 5

const REQUEST_BYTES = 8
const CONTENT_TYPES = [20, 21, 22, 23]

/**
 * Divides one direction of a connection to PostgreSQL into TLS records, however it came in chunks. A request for TLS and
 * the one byte that answers it are pieces of their own. Once a client begins without TLS everything passes as it comes.
 */
export class RecordSplitter {
  readonly #from: 'client' | 'server'
  #rest: Buffer = Buffer.alloc(0)
  #isPlain = false

  constructor(from: 'client' | 'server') {
    this.#from = from
  }

  /** The pieces that the chunk completes. */
  split(chunk: Buffer): Piece[] {
    this.#rest = Buffer.concat([this.#rest, chunk])
    const pieces: Piece[] = []
    for (;;) {
      const piece = this.#next()
      if (piece === undefined) return pieces
      this.#rest = this.#rest.subarray(piece.bytes.length)
      pieces.push(piece)
    }
  }

  #next(): Piece | undefined {
    const rest = this.#rest
    const [type] = rest
    if (type === undefined) return undefined
    if (!this.#isPlain && CONTENT_TYPES.includes(type)) {
      const length = rest.length < RECORD_HEADER_BYTES ? Number.POSITIVE_INFINITY : RECORD_HEADER_BYTES + rest.readUInt16BE(3)
      return rest.length < length ? undefined : { isRecord: true, bytes: rest.subarray(0, length) }
    }
    const length = this.#from === 'server' ? 1 : REQUEST_BYTES
    if (!this.#isPlain && rest.length < length) return undefined
    this.#isPlain ||= this.#from === 'client' && rest.readInt32BE(4) !== SSL_REQUEST
    return { isRecord: false, bytes: this.#isPlain ? rest : rest.subarray(0, length) }
  }
}
