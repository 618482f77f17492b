import { type Readable } from 'node:stream'
import { END_OF_ACTIVATION } from './protocol.ts'

/** What one process printed, cut into calls at the runtime's mark. */
export interface LogReader {
  /** Everything up to the next mark, once that has arrived or the stream has ended. */
  nextCall(): Promise<string>
  /** What has arrived since the last mark. */
  rest(): string
}

/** Reads a stream of a container and cuts it at each end of a call. */
export function readLog(stream: Readable): LogReader {
  const mark = `${END_OF_ACTIVATION}\n`
  let text = ''
  let ended = false
  let arrived = () => {}
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    text += chunk
    arrived()
  })
  stream.on('close', () => {
    ended = true
    arrived()
  })

  return {
    async nextCall() {
      while (!text.includes(mark) && !ended) await new Promise<void>(resolve => (arrived = resolve))
      const end = text.includes(mark) ? text.indexOf(mark) : text.length
      const call = text.slice(0, end)
      text = text.slice(end + mark.length)
      return call
    },
    rest: () => text,
  }
}
