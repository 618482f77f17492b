import yoctoSpinner from 'yocto-spinner'

/** Shows on standard error what a command is doing, so that its standard output holds nothing but the result. */
export interface Progress {
  /** Says what is done from now on, and how far the work is. */
  readonly step: (what: string) => void
  /** Says the same of a program that prints by itself: as a line that stays. */
  readonly line: (what: string) => void
  /** Runs a function that prints lines, with nothing else on their line. */
  readonly above: (print: () => void) => void
  /** Takes what is shown away; later steps show nothing. */
  readonly end: () => void
}

export interface ProgressOptions {
  readonly stream?: NodeJS.WriteStream
  readonly now?: () => number
}

// A step that ends before this has shown no time: a figure that flickers tells nothing.
const SHOWN_FROM_S = 2

/** For JSON, and for callers that show nothing. */
export const NO_PROGRESS: Progress = { step: () => undefined, line: () => undefined, above: print => print(), end: () => undefined }

/** Returns a spinner with the time of its step on a terminal, and one plain line for each step anywhere else. */
export function createProgress({ stream = process.stderr, now = Date.now }: ProgressOptions = {}): Progress {
  return stream.isTTY ? onTerminal(stream, now) : inLines(stream)
}

function inLines(stream: NodeJS.WriteStream): Progress {
  let last: string | undefined
  let ended = false
  const say = (what: string) => {
    if (!ended && what !== last) stream.write(`${what}\n`)
    last = what
  }
  return { ...NO_PROGRESS, step: say, line: say, end: () => void (ended = true) }
}

function onTerminal(stream: NodeJS.WriteStream, now: () => number): Progress {
  const spinner = yoctoSpinner({ stream })
  let current: { readonly what: string; readonly since: number } | undefined
  let ended = false
  const show = () => {
    if (current === undefined) return
    const seconds = Math.floor((now() - current.since) / 1_000)
    spinner.text = seconds < SHOWN_FROM_S ? current.what : `${current.what} (${seconds} s)`
  }
  const clock = setInterval(show, 1_000)
  // The work alone decides how long the process lives.
  clock.unref()
  return {
    step(what) {
      if (ended) return
      if (what !== current?.what) current = { what, since: now() }
      show()
      spinner.start()
    },
    line(what) {
      current = undefined
      spinner.stop()
      stream.write(`${what}\n`)
    },
    above(print) {
      spinner.stop()
      print()
      if (current !== undefined) spinner.start()
    },
    end() {
      ended = true
      current = undefined
      clearInterval(clock)
      spinner.stop()
    },
  }
}

/**
 * Follows parts that run at the same time: says how many have ended and which have not.
 * @returns a function that runs one of the parts
 */
export function followParts(
  what: string,
  names: readonly string[],
  progress: Progress,
): <Result>(name: string, work: () => Promise<Result>) => Promise<Result> {
  const left = new Set(names)
  const say = () => {
    if (left.size > 0) progress.step(`${what}: ${names.length - left.size} of ${names.length}, now ${[...left].join(', ')}`)
  }
  say()
  return async (name, work) => {
    try {
      return await work()
    } finally {
      left.delete(name)
      say()
    }
  }
}
