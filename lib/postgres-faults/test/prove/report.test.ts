import { describe, expect, it } from 'vitest'
import { type Finding, type Job } from '../../src/prove/engine.ts'
import { describeFailure, describeMs, describeTotals } from '../../src/prove/report.ts'
import { cutPoints } from '../../src/prove/points.ts'
import { TCP_GAVE_UP } from '../../src/prove/strike.ts'
import { openTally } from '../../src/prove/tally.ts'
import { type WireMessage } from '../../src/proxy/wire.ts'

const messages: readonly WireMessage[] = [
  { connection: 1, from: 'client', message: 0, type: 'Query', bytes: 12, statement: 'COMMIT', divisible: true },
  { connection: 1, from: 'server', message: 0, type: 'ReadyForQuery', bytes: 6, divisible: true },
]
const part = {
  operation: { name: 'paid', function: 'api/pay', request: () => ({ input: {} }), effects: '' },
  way: 'direct' as const,
  messages,
  points: cutPoints(messages),
}
const jobs: readonly Job[] = part.points.flatMap(point => (['reset', 'silent'] as const).map(fault => ({ part, point, fault })))

function finding(job: Job | undefined, changes: Partial<Finding> = {}): Finding {
  if (job === undefined) throw new Error('there is no job')
  const history = { run: 'p1', operation: 'paid', events: [], rows: [], left: { sessions: 0, locks: 0 } }
  return { ...job, history, reached: true, messages, output: '', problems: [], ...changes }
}

describe('totals', () => {
  it('count a cut point once every fault has struck there', () => {
    const tally = openTally(jobs)
    for (const job of jobs.slice(0, 3)) tally.add(finding(job))
    expect(describeTotals(tally.totals())).toBe('1 of 4 cut points: 0 lost, 0 twice, 0 hung')
    for (const job of jobs.slice(3)) tally.add(finding(job))
    expect(describeTotals(tally.totals())).toBe('4 of 4 cut points: 0 lost, 0 twice, 0 hung')
    expect(tally.failures).toEqual([])
  })

  it('do not count a cut point that was not reached', () => {
    const tally = openTally(jobs)
    for (const [index, job] of jobs.entries()) tally.add(finding(job, { reached: index !== 2 }))
    expect(describeTotals(tally.totals())).toBe('3 of 4 cut points: 0 lost, 0 twice, 0 hung, 1 not reached')
    expect(tally.failures).toHaveLength(1)
  })

  it('count each kind of problem once in a run', () => {
    const tally = openTally(jobs)
    const lost = { kind: 'lost', text: 'gone' } as const
    for (const [index, job] of jobs.entries()) tally.add(finding(job, { problems: index === 0 ? [lost, lost, { kind: 'left', text: 'one' }] : [] }))
    expect(describeTotals(tally.totals())).toBe('4 of 4 cut points: 1 lost, 0 twice, 0 hung, 1 left')
  })

  it('tell how often only TCP ended a connection', () => {
    const tally = openTally(jobs)
    tally.add(finding(jobs[1], { history: { ...finding(jobs[1]).history, events: [{ at: 4_000, event: 'fault', fault: TCP_GAVE_UP }] } }))
    expect(tally.totals().endedByTcp).toBe(1)
  })
})

describe('a failure', () => {
  it('shows the recording with the cut marked', () => {
    const text = describeFailure(finding(jobs[2], { problems: [{ kind: 'lost', text: 'attempt 1 was acknowledged' }] }))
    expect(text).toContain('paid, direct, cut point 2, reset\n  lost: attempt 1 was acknowledged\n')
    expect(text).toContain('  -> the cut: after the first half of this message\n  1  1 client  Query, 12 bytes  COMMIT\n')
    expect(text).toContain("npm run prove -- --only 'paid' --through direct --points 2 --faults 'reset'")
  })
})

it.each([
  [400, '0 s'],
  [59_400, '59 s'],
  [125_000, '2 min 5 s'],
])('%i ms is %s', (ms, text) => {
  expect(describeMs(ms)).toBe(text)
})
