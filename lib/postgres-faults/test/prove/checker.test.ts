import { describe, expect, it } from 'vitest'
import { check } from '../../src/prove/checker.ts'
import type { EffectRow, History, HistoryEvent } from '../../src/prove/history.ts'

const at = 0
const sent = (attempt: number, id = 'a'): HistoryEvent => ({ at, event: 'sent', id, attempt })
const answered = (attempt: number, status: number, id = 'a'): HistoryEvent => ({ at, event: 'answered', id, attempt, status })
const failed = (attempt: number, id = 'a'): HistoryEvent => ({ at, event: 'failed', id, attempt, reason: 'killed' })
const hung = (attempt: number, id = 'a'): HistoryEvent => ({ at, event: 'hung', id, attempt, lateMs: 1_500 })
const applied = (id = 'a', amount?: string): EffectRow => ({ id, times: 1, ...(amount === undefined ? {} : { amount }) })

const right: History = {
  run: 'one',
  operation: 'webhook applied',
  events: [sent(1), { at, event: 'fault', fault: 'reset' }, failed(1), sent(2), answered(2, 200)],
  rows: [applied()],
  left: { sessions: 0, locks: 0 },
}
const kindsOf = (changes: Partial<History>) => check({ ...right, ...changes }).map(({ kind, id }) => (id === undefined ? kind : `${kind} ${id}`))

describe('the checker', () => {
  it('finds nothing in a run without a problem', () => {
    expect(kindsOf({})).toEqual([])
    expect(kindsOf({ amount: '12.5', rows: [applied('a', '12.50')] })).toEqual([])
  })

  it('finds lost what is acknowledged and not applied', () => {
    expect(kindsOf({ rows: [] })).toEqual(['lost a'])
    expect(kindsOf({ rows: [{ id: 'a', times: 0 }] })).toEqual(['lost a'])
    expect(kindsOf({ events: [sent(1), answered(1, 202)], rows: [] })).toEqual(['lost a'])
  })

  it('finds twice what is applied more than once', () => {
    expect(kindsOf({ rows: [{ id: 'a', times: 2 }] })).toEqual(['twice a'])
  })

  it('names the request that has the problem', () => {
    const events = ['a', 'b', 'c'].flatMap(id => [sent(1, id), answered(1, 200, id)])
    expect(kindsOf({ events, rows: [applied('a'), { id: 'c', times: 3 }] })).toEqual(['lost b', 'twice c'])
  })

  it('finds hung what ends after its deadline', () => {
    expect(kindsOf({ events: [sent(1), hung(1), sent(2), answered(2, 200)] })).toEqual(['hung a'])
  })

  it('finds hung what has no end', () => {
    expect(kindsOf({ events: [sent(1), sent(2), answered(2, 200)] })).toEqual(['hung a'])
  })

  it('finds wrong an attempt that ends twice or was never sent', () => {
    expect(kindsOf({ events: [sent(1), failed(1), answered(1, 200)] })).toEqual(['wrong a'])
    expect(kindsOf({ events: [answered(1, 200)] })).toEqual(['wrong a'])
  })

  it('finds wrong a request that is never acknowledged', () => {
    expect(kindsOf({ events: [sent(1), answered(1, 503)], rows: [] })).toEqual(['wrong a'])
    expect(kindsOf({ events: [sent(1), answered(1, 302)] })).toEqual(['wrong a'])
  })

  it('finds wrong an effect that nothing was sent for', () => {
    expect(kindsOf({ rows: [applied(), applied('b')] })).toEqual(['wrong b'])
  })

  it('finds wrong an amount that differs in its last digit', () => {
    expect(kindsOf({ amount: '0.3', rows: [applied('a', '0.300000000001')] })).toEqual(['wrong a', 'wrong'])
    expect(kindsOf({ amount: '0.3', rows: [applied()] })).toEqual(['wrong a', 'wrong'])
  })

  it('adds up amounts exactly', () => {
    const events = ['a', 'b', 'c'].flatMap(id => [sent(1, id), answered(1, 200, id)])
    expect(kindsOf({ events, amount: '0.1', rows: ['a', 'b', 'c'].map(id => applied(id, '0.10')) })).toEqual([])
  })

  it('finds wrong an amount without an application', () => {
    expect(kindsOf({ amount: '5', rows: [applied('a', '5'), { id: 'b', times: 0, amount: '5' }] })).toEqual(['wrong'])
  })

  it('finds wrong an id with two rows', () => {
    expect(kindsOf({ rows: [applied(), applied()] })).toEqual(['wrong a'])
  })

  it('finds left a session or a lock', () => {
    expect(kindsOf({ left: { sessions: 1, locks: 0 } })).toEqual(['left'])
    expect(kindsOf({ left: { sessions: 0, locks: 1 } })).toEqual(['left'])
  })

  it("passes on what the application's own check found", () => {
    expect(check({ ...right, problems: ['the counter differs'] })).toEqual([{ kind: 'wrong', text: 'the counter differs' }])
  })
})
