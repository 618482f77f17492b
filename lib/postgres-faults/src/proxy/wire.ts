import { type Cut } from './faults.ts'

/** Who sends a message. */
export type Side = 'client' | 'server'

/** A message of a recording. A run of ParameterStatus counts as one message. */
export interface WireMessage {
  /** Connections are numbered from 1 since the proxy's start, in the order in which TCP accepted them. */
  readonly connection: number
  readonly from: Side
  /** The place among the messages of this side of this connection, from 0. */
  readonly message: number
  /** The name of the message in the protocol's documentation. */
  readonly type: string
  readonly bytes: number
  /** The text of the statement that begins with this message. */
  readonly statement?: string
  /** Whether a cut can pass on a part of it. What the proxy answers itself and messages of one byte have no inside. */
  readonly divisible: boolean
}

/** A place on the wire. */
export interface CutPoint extends Pick<WireMessage, 'connection' | 'from' | 'message'> {
  /** False: before the message is passed on. True: after the first half of its bytes. */
  readonly inside: boolean
}

/** The connection at a cut that calls back. It passes nothing more, in both directions. */
export interface CutConnection {
  /** Whether the server has ended it, which the client is not told. */
  serverHasEnded(): boolean
  /** Ends it: an RST to the client, or close_notify and FIN; to the server a FIN. */
  end(manner: 'reset' | 'close'): void
}

/** How a connection is cut at a point, or what is called then; what came before the point has left the proxy by then. */
export type CutAction = Cut | ((connection: CutConnection) => void)

/** A cut that was added. */
export interface AddedCut {
  /** Whether its point was reached. */
  reached(): boolean
  /** Takes it back. */
  remove(): void
}

/** The messages that have gone over the wire since the recording began. */
export interface Recording {
  messages(): readonly WireMessage[]
  /** Ends it; what was recorded stays. */
  end(): void
}

/** What a connection does at a cut. */
export interface Cuttable {
  cut(manner: Cut): void
  /** Passes nothing more and calls back when everything that came before has left the process. */
  stopPassing(then: (connection: CutConnection) => void): void
}

/** A message as it passes; `pass` passes a part of it on. */
export interface Passing extends Pick<WireMessage, 'from' | 'type'> {
  readonly bytes: Buffer
  readonly statement?: string | undefined
  /** Passes bytes on. Without it, the proxy itself is the receiver. */
  readonly pass?: ((bytes: Buffer) => void) | undefined
}

/** The wire of one connection. */
export interface WireConnection {
  /** Takes note of a message. False: the connection is cut here, and the caller must not pass the message on. */
  takes(passing: Passing): boolean
}

interface Entry {
  readonly point: CutPoint
  readonly action: CutAction
  reached: boolean
}

const RUN = 'ParameterStatus'

/** Records everything that passes a proxy, and cuts connections at points of it. */
export class Wire {
  readonly #recordings = new Set<WireMessage[]>()
  readonly #cuts = new Set<Entry>()
  #connections = 0

  record(): Recording {
    const recorded: WireMessage[] = []
    this.#recordings.add(recorded)
    return { messages: () => structuredClone(recorded), end: () => void this.#recordings.delete(recorded) }
  }

  cutAt(point: CutPoint, action: CutAction): AddedCut {
    const entry: Entry = { point, action, reached: false }
    this.#cuts.add(entry)
    return { reached: () => entry.reached, remove: () => void this.#cuts.delete(entry) }
  }

  connection(subject: Cuttable): WireConnection {
    const connection = ++this.#connections
    const counts = { client: 0, server: 0 }
    let inRun = false
    return {
      takes: ({ from, type, bytes, statement, pass }) => {
        const goesOn = from === 'server' && type === RUN && inRun
        if (from === 'server') inRun = type === RUN
        const message = goesOn ? counts.server - 1 : counts[from]++
        const divisible = pass !== undefined && bytes.length > 1
        this.#note({ connection, from, message, type, bytes: bytes.length, ...(statement === undefined ? {} : { statement }), divisible }, goesOn)
        const cut = goesOn ? undefined : this.#take({ connection, from, message }, divisible)
        if (cut === undefined) return true
        if (cut.point.inside) pass?.(bytes.subarray(0, bytes.length / 2))
        if (typeof cut.action === 'string') subject.cut(cut.action)
        else subject.stopPassing(cut.action)
        return false
      },
    }
  }

  #note(message: WireMessage, goesOn: boolean): void {
    for (const recorded of this.#recordings) {
      const last = goesOn ? recorded.findLastIndex(({ connection, from }) => connection === message.connection && from === 'server') : -1
      const begun = recorded[last]
      if (begun === undefined) recorded.push(message)
      else recorded[last] = { ...begun, bytes: begun.bytes + message.bytes }
    }
  }

  #take({ connection, from, message }: Omit<CutPoint, 'inside'>, divisible: boolean): Entry | undefined {
    for (const entry of this.#cuts) {
      const { point } = entry
      if (point.connection !== connection || point.from !== from || point.message !== message) continue
      if (point.inside && !divisible) continue
      this.#cuts.delete(entry)
      entry.reached = true
      return entry
    }
    return undefined
  }
}
