import { beforeEach, describe, expect, it } from 'vitest'
import { createCircuitBreaker, type Admission, type CircuitBreaker } from '../src/circuit-breaker.ts'

let at = Date.UTC(2026, 10, 24)
let changes: string[] = []
let breaker: CircuitBreaker

beforeEach(() => {
  at = Date.UTC(2026, 10, 24)
  changes = []
  breaker = createCircuitBreaker({ threshold: 2, cooldownMs: 5_000, now: () => at, onChange: kind => void changes.push(kind) })
})

function epochOf(admission: Admission): number {
  if (!admission.admitted) throw new Error('not admitted')
  return admission.epoch
}
const outage = () => breaker.settleOutage(epochOf(breaker.admit()))
const answer = () => breaker.settleAnswered(epochOf(breaker.admit()))

describe('closed', () => {
  it('opens on the second outage in a row', () => {
    outage()
    expect(breaker.state.kind).toBe('closed')
    outage()
    expect(breaker.state.kind).toBe('open')
    expect(changes).toEqual(['open'])
  })

  it('forgets an outage once the database has answered', () => {
    outage()
    answer()
    outage()
    expect(breaker.state.kind).toBe('closed')
  })
})

describe('open', () => {
  beforeEach(() => {
    outage()
    outage()
  })

  it('admits nobody and says for how long', () => {
    at += 1_000
    expect(breaker.admit()).toEqual({ admitted: false, retryAfterMs: 4_000 })
  })

  it('admits one probe after the cooldown, and nobody beside it', () => {
    at += 5_000
    expect(breaker.admit().admitted).toBe(true)
    expect(breaker.admit()).toEqual({ admitted: false, retryAfterMs: 5_000 })
  })

  it('does not stay open longer because the clock was set back', () => {
    at -= 3_600_000
    expect(breaker.admit()).toEqual({ admitted: false, retryAfterMs: 5_000 })
    at += 5_000
    expect(breaker.admit()).toMatchObject({ admitted: true, probe: true })
  })

  it('closes when something else proves the database alive', () => {
    breaker.close()
    expect(breaker.admit().admitted).toBe(true)
    expect(changes).toEqual(['open', 'closed'])
  })
})

describe('probing', () => {
  let probe = 0
  beforeEach(() => {
    outage()
    outage()
    at += 5_000
    probe = epochOf(breaker.admit())
  })

  it('closes when the probe is answered', () => {
    breaker.settleAnswered(probe)
    expect(breaker.state).toMatchObject({ kind: 'closed', outages: 0 })
  })

  it('opens again for a whole cooldown when the probe meets an outage', () => {
    breaker.settleOutage(probe)
    expect(breaker.admit()).toEqual({ admitted: false, retryAfterMs: 5_000 })
  })

  it('lets another probe at once when the first told nothing', () => {
    breaker.settleUnknown(probe)
    expect(breaker.admit().admitted).toBe(true)
  })

  it('gives up a probe that never comes back', () => {
    at += 5_000
    expect(breaker.admit().admitted).toBe(true)
    breaker.settleAnswered(probe)
    expect(breaker.state.kind).toBe('probing')
  })

  it('admits nobody beside a second probe when the one that was given up told nothing', () => {
    at += 5_000
    breaker.admit()
    breaker.settleUnknown(probe)
    expect(breaker.admit().admitted).toBe(false)
  })
})

it('lets a late answer change only the state it was admitted under', () => {
  const late = epochOf(breaker.admit())
  outage()
  outage()
  breaker.settleAnswered(late)
  expect(breaker.state.kind).toBe('open')
  at += 5_000
  const probe = epochOf(breaker.admit())
  breaker.settleOutage(late)
  expect(breaker.state.kind).toBe('probing')
  breaker.settleAnswered(probe)
  breaker.settleOutage(late)
  breaker.settleOutage(late)
  expect(breaker.state).toMatchObject({ kind: 'closed', outages: 0 })
})

it('takes no outage into account that is older than the proof of something else', () => {
  const late = epochOf(breaker.admit())
  breaker.close()
  breaker.settleOutage(late)
  expect(breaker.state).toMatchObject({ kind: 'closed', outages: 0 })
})
