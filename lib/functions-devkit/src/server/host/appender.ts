import { write as writeBytes } from 'node:fs'

/** Writes lines to a file descriptor, one batch after the other. Nobody who adds a line waits, and nothing is thrown. */
export interface Appender {
  add(line: string): void
  /** Goes on with another descriptor once the batch under way is written; `undefined`: there is none, so lines wait. */
  use(fd: number | undefined): void
  /** Tries again what could not be written. */
  retry(): void
  /** Resolves when nothing waits any more, or cannot be written. */
  idle(): Promise<void>
}

export interface AppenderOptions {
  readonly fd: number | undefined
  /** What may wait in memory; lines that come on top are dropped. */
  readonly largestBacklogBytes: number
  readonly onWritten?: () => void
  readonly onFailed: (code: string) => void
  /** Told of each descriptor that is no longer used. */
  readonly onLeft?: (fd: number) => void
}

// A pipe whose reader is slow takes more after a while.
const FULL_PIPE_MS = 20

/**
 * Makes an appender. pino's own destination, sonic-boom, tries for ever to write what a full disk does not take when the
 * process ends, and the process never does: that is why this is here.
 */
export function createAppender({ fd: first, largestBacklogBytes, onWritten, onFailed, onLeft }: AppenderOptions): Appender {
  let fd = first
  let next: { readonly fd: number | undefined } | undefined
  let lines: string[] = []
  let rest: Buffer | undefined
  let bytes = 0
  let state: 'idle' | 'writing' | 'failed' = 'idle'
  let waiting: (() => void)[] = []

  function change(): void {
    if (next === undefined) return
    if (fd !== undefined && fd !== next.fd) onLeft?.(fd)
    fd = next.fd
    next = undefined
  }

  function settle(): void {
    for (const resolve of waiting) resolve()
    waiting = []
  }

  function pump(): void {
    if (state !== 'idle') return
    change()
    if (rest === undefined && lines.length > 0) {
      rest = Buffer.from(lines.join(''))
      lines = []
    }
    if (fd === undefined || rest === undefined) return settle()
    state = 'writing'
    writeBytes(fd, rest, done)
  }

  function done(error: NodeJS.ErrnoException | null, written: number): void {
    if (error?.code === 'EAGAIN') return void setTimeout(again, FULL_PIPE_MS)
    if (error) {
      state = 'failed'
      change()
      onFailed(error.code ?? 'unknown')
      return settle()
    }
    onWritten?.()
    bytes -= written
    rest = rest === undefined || written >= rest.length ? undefined : rest.subarray(written)
    again()
  }

  function again(): void {
    state = 'idle'
    pump()
  }

  return {
    add(line) {
      const size = Buffer.byteLength(line)
      if (bytes + size > largestBacklogBytes) return
      bytes += size
      lines.push(line)
      pump()
    },
    use(fresh) {
      if (next?.fd !== undefined && next.fd !== fd && next.fd !== fresh) onLeft?.(next.fd)
      next = { fd: fresh }
      if (state !== 'writing') again()
    },
    retry() {
      if (state === 'failed') again()
    },
    async idle() {
      if (state === 'failed' || fd === undefined || (state === 'idle' && rest === undefined && lines.length === 0)) return
      await new Promise<void>(resolve => waiting.push(resolve))
    },
  }
}
