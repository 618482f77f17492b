import { type Readable } from 'node:stream'
import { END_OF_ACTIVATION } from './protocol.ts'

/** One line that a function printed. */
export interface OutputLine {
  readonly stream: 'stdout' | 'stderr'
  readonly line: string
  /** The call that it belongs to; undefined for what a container printed after its last one. */
  readonly activationId: string | undefined
}

export interface Output {
  /** What is printed from now on belongs to this call, and what was printed since the one before. */
  begin(activationId: string): void
  /** Resolves when the runtime has marked the end of the call, or nothing can come any more. */
  callEnded(): Promise<void>
  /** Hands on what is left: the process is gone. */
  end(): void
}

// As much as the platform keeps of one call's log.
const LONGEST_HELD = 256 * 1024

/** Splits what a container prints into lines and calls. */
export function followOutput(streams: Readonly<Record<OutputLine['stream'], Readable>>, onLine: (line: OutputLine) => void): Output {
  const followed = (['stdout', 'stderr'] as const).map(name =>
    follow(streams[name], (line, activationId) => onLine({ stream: name, line, activationId })),
  )
  return {
    begin: activationId => followed.forEach(one => one.begin(activationId)),
    callEnded: async () => void (await Promise.all(followed.map(one => one.callEnded()))),
    end: () => followed.forEach(one => one.end()),
  }
}

function follow(stream: Readable, onLine: (line: string, activationId: string | undefined) => void): Output {
  let text = ''
  let activationId: string | undefined
  let marked = () => {}
  let ended = false
  let callEnd = Promise.resolve()
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    text += chunk
    take()
  })
  stream.once('close', end)
  stream.once('error', end)

  /** Hands on whole lines up to the mark; what follows it waits for the next call. */
  function take(): void {
    while (activationId !== undefined) {
      const newline = text.indexOf('\n')
      if (newline === -1) return
      const line = text.slice(0, newline)
      text = text.slice(newline + 1)
      const mark = line.indexOf(END_OF_ACTIVATION)
      if (mark !== 0) onLine(mark === -1 ? line : line.slice(0, mark), activationId)
      if (mark === -1) continue
      activationId = undefined
      marked()
    }
    if (text.length > LONGEST_HELD) text = text.slice(-LONGEST_HELD)
  }

  function end(): void {
    if (ended) return
    ended = true
    const rest = text.replaceAll(`${END_OF_ACTIVATION}\n`, '').replace(/\n$/, '')
    text = ''
    if (rest !== '') for (const line of rest.split('\n')) onLine(line, activationId)
    marked()
  }

  return {
    begin(id) {
      if (ended) return
      activationId = id
      callEnd = new Promise(resolve => (marked = resolve))
      take()
    },
    callEnded: () => callEnd,
    end,
  }
}
