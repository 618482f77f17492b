import { type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { type Answer, type Order } from './protocol.ts'

/** In place of an answer: the process ended, or took too long. */
export type Ended = { answer: 'exited'; code: number | null; signal: NodeJS.Signals | null } | { answer: 'time limit' }

/** Gives a container's process an order and waits for the answer, for at most `limitMs`. */
export function ask(child: ChildProcess, order: Order, limitMs: number): Promise<Answer | Ended> {
  const answer = nextAnswer(child, limitMs)
  // A process that has just ended cannot be written to; `nextAnswer` reports its end.
  if (child.connected) child.send(order, () => {})
  return answer
}

/** Waits for the next thing the process says. */
export async function nextAnswer(child: ChildProcess, limitMs: number): Promise<Answer | Ended> {
  const heard = new AbortController()
  const { signal } = heard
  const exited = (): Ended => ({ answer: 'exited', code: child.exitCode, signal: child.signalCode })
  if (child.exitCode !== null || child.signalCode !== null) return exited()
  let timer: NodeJS.Timeout | undefined
  try {
    return await Promise.race([
      once(child, 'message', { signal }).then(([answer]) => answer as Answer),
      once(child, 'exit', { signal }).then(exited),
      new Promise<Ended>(resolve => (timer = setTimeout(() => resolve({ answer: 'time limit' }), limitMs))),
    ])
  } finally {
    clearTimeout(timer)
    heard.abort()
  }
}
