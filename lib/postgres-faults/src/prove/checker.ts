import type { EffectRow, History, HistoryEvent } from './history.ts'

/**
 * What is wrong with a run. `lost`: acknowledged and not applied; `twice`: applied more than once; `hung`: a request
 * without an end in time; `left`: a session or a lock that outlived the run; `wrong`: anything else that may not be.
 */
export interface Problem {
  readonly kind: 'lost' | 'twice' | 'hung' | 'left' | 'wrong'
  readonly id?: string
  readonly text: string
}

type RequestEvent = Exclude<HistoryEvent, { event: 'fault' }>

// The exact digits of a decimal number, for sums that no binary fraction may spoil.
const DECIMALS = 12
const DECIMAL = /^(-?)(\d+)(?:\.(\d{1,12}))?$/

/** Returns everything that is wrong with a run, by its history and its rows alone; nothing else is known here. */
export function check(history: History): readonly Problem[] {
  const requests = requestsOf(history.events)
  const rows = new Map(history.rows.map(row => [row.id, row]))
  return [
    ...[...requests].flatMap(([id, events]) => [...ofAnswers(id, events), ...ofEffect(id, { events, row: rows.get(id), amount: history.amount })]),
    ...ofRows(history.rows, requests),
    ...ofSum(history),
    ...ofLeft(history.left),
    ...(history.problems ?? []).map((text): Problem => ({ kind: 'wrong', text })),
  ]
}

function requestsOf(events: readonly HistoryEvent[]): ReadonlyMap<string, readonly RequestEvent[]> {
  return Map.groupBy(
    events.filter(event => event.event !== 'fault'),
    ({ id }) => id,
  )
}

/** Every attempt ends exactly once and in time, and one of them is acknowledged: a sender goes on until then. */
function ofAnswers(id: string, events: readonly RequestEvent[]): Problem[] {
  const problems: Problem[] = []
  for (const [attempt, of] of Map.groupBy(events, event => event.attempt)) {
    const sent = of.filter(({ event }) => event === 'sent').length
    const ended = of.filter(({ event }) => event !== 'sent').length
    const hung = of.find(({ event }) => event === 'hung')
    if (hung?.event === 'hung') problems.push({ kind: 'hung', id, text: `attempt ${attempt} had no answer ${hung.lateMs} ms after its deadline` })
    else if (ended < sent) problems.push({ kind: 'hung', id, text: `attempt ${attempt} has no end` })
    if (ended > sent || sent !== 1) problems.push({ kind: 'wrong', id, text: `attempt ${attempt} was sent ${sent} times and ended ${ended} times` })
  }
  if (!events.some(isAcknowledged)) problems.push({ kind: 'wrong', id, text: `no attempt of ${events.length} events was acknowledged` })
  return problems
}

interface Effect {
  readonly events: readonly RequestEvent[]
  readonly row: EffectRow | undefined
  readonly amount: string | undefined
}

function ofEffect(id: string, { events, row, amount }: Effect): Problem[] {
  const times = row?.times ?? 0
  if (times > 1) return [{ kind: 'twice', id, text: `it was applied ${times} times` }]
  if (times === 1 && amount !== undefined && !isSame(row?.amount, amount))
    return [{ kind: 'wrong', id, text: `it came to ${row?.amount ?? 'no amount'} instead of ${amount}` }]
  const acknowledged = events.find(isAcknowledged)
  if (times === 1 || acknowledged === undefined) return []
  return [{ kind: 'lost', id, text: `attempt ${acknowledged.attempt} was acknowledged and it was not applied` }]
}

function ofRows(rows: readonly EffectRow[], requests: ReadonlyMap<string, unknown>): Problem[] {
  return [...Map.groupBy(rows, ({ id }) => id)].flatMap(([id, found]): Problem[] => {
    if (found.length > 1) return [{ kind: 'wrong', id, text: `it has ${found.length} rows, so its effect is unknown` }]
    return found[0]?.times === 0 || requests.has(id) ? [] : [{ kind: 'wrong', id, text: 'it was applied and never sent' }]
  })
}

/** The whole comes to what its parts should: an amount that moved from one id to another shows here as well. */
function ofSum({ rows, amount }: History): Problem[] {
  if (amount === undefined) return []
  const due = rows.reduce((sum, { times }) => sum + BigInt(times) * (digitsOf(amount) ?? 0n), 0n)
  const found = rows.reduce((sum, { amount: of }) => sum + (digitsOf(of) ?? 0n), 0n)
  return due === found ? [] : [{ kind: 'wrong', text: `the amounts differ from what was applied by ${Number(found - due) / 10 ** DECIMALS}` }]
}

function ofLeft({ sessions, locks }: History['left']): Problem[] {
  return sessions + locks === 0 ? [] : [{ kind: 'left', text: `${sessions} sessions and ${locks} locks were left` }]
}

function isAcknowledged(event: RequestEvent): boolean {
  return event.event === 'answered' && event.status >= 200 && event.status < 300
}

function isSame(found: string | undefined, due: string): boolean {
  return digitsOf(found) !== undefined && digitsOf(found) === digitsOf(due)
}

function digitsOf(decimal: string | undefined): bigint | undefined {
  const [, sign, whole, fraction = ''] = DECIMAL.exec(decimal ?? '') ?? []
  return whole === undefined ? undefined : BigInt(`${sign}${whole}${fraction.padEnd(DECIMALS, '0')}`)
}
