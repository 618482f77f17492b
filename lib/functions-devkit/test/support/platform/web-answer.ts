import { toHttpReply } from '../../../src/server/platform/response.ts'
import { type CallOutcome } from './container.ts'

/** What the client of a web call sees of its outcome. */
export function webAnswer(outcome: CallOutcome): { status: number; headers: Headers; body: string } {
  const reply = toHttpReply(
    outcome.exited ? { end: 'discarded', reason: outcome.exited.reason } : { end: 'result', result: outcome.result },
    'activation',
  )
  const headers = new Headers()
  for (const [name, value] of reply.headers) headers.append(name, value)
  return { status: reply.status, headers, body: reply.body.toString('utf8') }
}
