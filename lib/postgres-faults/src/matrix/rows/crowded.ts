import { type Call } from '../call.ts'
import { type Repetition } from '../repetition.ts'
import { type Row } from '../row.ts'

const CALLERS = 20
const SLEEP_MS = 5
// Two of them leave a third no time to end, and whoever comes after it none to begin.
const LONG_MS = 1_200
const HELD = 'pool held until the deadline'
// A pooler has words of its own for it.
const FULL = {
  direct: { error: { severity: 'FATAL', code: '53300', message: 'sorry, too many clients already' } },
  pooler: { error: { severity: 'FATAL', code: '08P01', message: 'no more connections allowed (max_client_conn)' } },
} as const

/** More callers than connections, and a server that takes no more of them for a while. */
export const crowded: Row = {
  number: 12,
  fault: 'pool exhausted, 53300',
  variants: ['pool exhausted', HELD, '53300, three times', '53300, for good'],
  // Never `database-unavailable`: a full server is a queue, and counts for no breaker.
  codes: ({ variant }) => {
    if (variant === '53300, for good') return ['database-busy']
    // Whoever comes last in a queue may come too late.
    return variant === '53300, three times' ? [] : ['database-busy', 'deadline-exceeded']
  },
  async scenario(repetition) {
    const { call, manager, find } = repetition
    const told = (await crowd(repetition)).map(({ outcome }) => (outcome.kind === 'error' ? `${outcome.code} (${outcome.because})` : outcome.kind))
    if (manager.breaker.state.kind !== 'closed') find(`the breaker is ${manager.breaker.state.kind} after ${told.join(', ')}`)
    if ((await call()).outcome.kind !== 'ok') find('the container is not as good as before')
  },
}

async function crowd({ call, proxy, variant, through }: Repetition): Promise<Call[]> {
  if (variant === 'pool exhausted') return Promise.all(Array.from({ length: CALLERS }, () => call({ sleepMs: SLEEP_MS })))
  if (variant === HELD) {
    const holders = Array.from({ length: 3 }, () => call({ kind: 'write', sleepMs: LONG_MS }))
    return Promise.all([...holders, call(), call()])
  }
  const times = variant === '53300, for good' ? Number.POSITIVE_INFINITY : 3
  const fault = proxy.addFault({ on: 'connect', when: 'startup', action: FULL[through], times })
  const calls = await Promise.all([call(), call(), call()])
  fault.remove()
  return calls
}
