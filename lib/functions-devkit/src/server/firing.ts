import { type CallEnd } from './platform/response.ts'
import { asPlain, isRecord, throughJson } from './platform/result.ts'

/** How a call that nobody waits for over HTTP has ended. */
export type Outcome =
  | { readonly outcome: 'ok'; readonly result: Readonly<Record<string, unknown>> }
  /** The function threw, or answered with an `error`, or the platform discards its container. */
  | { readonly outcome: 'failed'; readonly error: unknown }

/** One call of a function by its schedule. */
export type Firing = Outcome & {
  readonly schedule: string
  readonly function: string
  readonly activationId: string
  readonly ms: number
}

/** Characters of an error that fit on its line. */
const LONGEST_ERROR = 500

/** Reads the end of a call as the platform's activation record would show it. */
export function outcomeOf(ended: CallEnd): Outcome {
  switch (ended.end) {
    case 'discarded':
    case 'refused':
      return { outcome: 'failed', error: ended.reason }
    case 'thrown':
      return { outcome: 'failed', error: withoutStack(asPlain(ended.error)) }
    case 'result': {
      const result = throughJson(ended.result === undefined ? {} : ended.result)
      if (!isRecord(result)) return { outcome: 'failed', error: 'resolved to something that is no JSON object of at most 1 MB' }
      return 'error' in result ? { outcome: 'failed', error: result.error } : { outcome: 'ok', result }
    }
    default:
      return ended satisfies never
  }
}

/** One line for the terminal. */
export function describeFiring(firing: Firing): string {
  const done = `Schedule ${firing.schedule}: ${firing.function}`
  if (firing.outcome === 'ok') return `${done} ended well after ${firing.ms} ms`
  const why = typeof firing.error === 'string' ? firing.error : (JSON.stringify(firing.error) ?? 'without a reason')
  return `${done} failed after ${firing.ms} ms: ${why.replaceAll(/\s+/g, ' ').slice(0, LONGEST_ERROR)}`
}

function withoutStack(error: unknown): unknown {
  if (!isRecord(error)) return error
  const { stack: _, ...rest } = error
  return rest
}
