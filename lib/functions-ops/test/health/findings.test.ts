import { describe, expect, it } from 'vitest'
import { alertKinds } from '../../src/alerts/alert.ts'
import { thresholdSettings } from '../../src/settings/thresholds.ts'
import { byName } from '../../src/health/health-reply.ts'
import { statusOf, type Check } from '../../src/health/check.ts'
import { findings, type FindingsInput } from '../../src/health/findings.ts'

const limits = thresholdSettings.parse({}).value ?? expect.unreachable()
const time = '2026-11-24T12:00:00.000Z'
const unseen: FindingsInput = { look: { time, database: undefined, buffer: undefined }, databaseFailures: 0, counted: undefined, inbox: undefined }

describe('what is watched for', () => {
  it('is every kind of alert once, and has no figure for what was not seen', () => {
    const found = findings(unseen, limits)
    expect(found.map(({ kind }) => kind)).toEqual([...alertKinds])
    expect(found.filter(({ observed }) => observed !== undefined)).toEqual([])
  })

  it('is seen of a database that had no connection to spare: that is no failure, but all of its connections', () => {
    const full = findings({ ...unseen, look: { ...unseen.look, database: { ms: 1, code: '53300', crowded: true } } }, limits)
    expect(full.filter(({ observed }) => observed !== undefined)).toMatchObject([
      { kind: 'database-unavailable', observed: 0 },
      { kind: 'connections-high', observed: 100 },
    ])
  })

  it('counts what is parked in the inbox and in the buffer together, and how long the oldest event has been buffered', () => {
    const inbox = { parked: 2, due: 0, oldestDueMs: 0 }
    const buffer = { ms: 1, seen: { waiting: 1, parked: 3, bytes: 0, percent: 0, oldestMs: 900_999 } }
    const observed = (input: Partial<FindingsInput>) =>
      Object.fromEntries(findings({ ...unseen, ...input }, limits).flatMap(({ kind, observed: figure }) => (figure ? [[kind, figure]] : [])))
    expect(observed({ inbox, look: { ...unseen.look, buffer } })).toEqual({ 'events-parked': 5, 'buffer-stuck': 900 })
    expect(observed({ inbox, look: { ...unseen.look, buffer: { ms: 1, code: 'buffer-unreachable', crowded: false } } })).toEqual({
      'events-parked': 2,
    })
  })
})

describe('checks together', () => {
  const check = (status: Check['status'], more: Partial<Check> = {}): Check => ({ name: 'a:b', componentType: 'system', status, time, ...more })

  it('fail with one that is vital, are warned of by any other, and not by what is unknown', () => {
    expect(statusOf([])).toBe('pass')
    expect(statusOf([check('pass'), check('unknown')])).toBe('pass')
    expect(statusOf([check('pass'), check('warn')])).toBe('warn')
    expect(statusOf([check('fail', { vital: false }), check('pass')])).toBe('warn')
    expect(statusOf([check('warn'), check('fail')])).toBe('fail')
  })

  it('name what is affected only while something is wrong', () => {
    const affectedEndpoints = ['/user']
    expect(byName([check('pass', { affectedEndpoints })])['a:b']).toEqual([{ componentType: 'system', status: 'pass', time }])
    expect(byName([check('fail', { affectedEndpoints })])['a:b']).toEqual([{ componentType: 'system', status: 'fail', time, affectedEndpoints }])
  })
})
