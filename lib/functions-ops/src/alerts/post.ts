import { ApplicationError } from '../../../functions-runtime/src/edge/http-errors.ts'

/** What is sent to somebody else's endpoint. */
export interface Message {
  readonly url: string
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/**
 * Sends one message; follows no redirect, which could lead anywhere. The connection is closed after it: a paused container
 * would find a kept one dead.
 * @throws ApplicationError `not-delivered` unless the answer is 2xx; whatever is thrown names no address.
 */
export async function post({ url, method = 'POST', headers = {}, body }: Message, signal: AbortSignal): Promise<void> {
  let status: number
  try {
    const options = { method, headers: { ...headers, connection: 'close' }, redirect: 'manual', signal } as const
    const answer = await fetch(url, body === undefined ? options : { ...options, body })
    status = answer.status
    await answer.body?.cancel()
  } catch (error) {
    // fetch puts the address into some of its messages.
    throw new ApplicationError('Nothing was delivered.', { code: 'not-delivered', status: 502, cause: causeOf(error) })
  }
  if (status < 200 || status > 299) throw new ApplicationError(`The receiver answered ${status}.`, { code: 'not-delivered', status: 502 })
}

function causeOf(error: unknown): unknown {
  const { cause } = error as { cause?: unknown }
  const code = (cause as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? Object.assign(new Error('The receiver could not be reached.'), { code }) : undefined
}
