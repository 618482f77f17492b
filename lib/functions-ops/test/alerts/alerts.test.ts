import { describe, expect, it } from 'vitest'
import { alertOf, isWorthAnAlert, type Finding } from '../../src/alerts/alert.ts'
import { createContainerMemory, createLayeredMemory, type AlertMemory } from '../../src/alerts/memory.ts'
import { signStandard } from '../../src/alerts/sign.ts'
import { alertSettings } from '../../src/settings/alerts.ts'
import { healthKeySettings, scheduleSettings } from '../../src/settings/health.ts'
import { thresholdSettings } from '../../src/settings/thresholds.ts'

const finding: Finding = { kind: 'retries-high', severity: 'warning', summary: 's', observed: 10, threshold: 10 }
const stand = (raised: string[], cleared: string[] = []) => ({ raised, cleared })
const nothing = stand([])

describe('a finding', () => {
  it('is worth an alert from its threshold on, or down to it, and says nothing unseen', () => {
    expect(isWorthAnAlert(finding)).toBe(true)
    expect(isWorthAnAlert({ ...finding, observed: 9 })).toBe(false)
    expect(isWorthAnAlert({ ...finding, falling: true, observed: 11 })).toBe(false)
    expect(isWorthAnAlert({ ...finding, falling: true, observed: 10 })).toBe(true)
    expect(isWorthAnAlert({ ...finding, observed: undefined })).toBeUndefined()
  })

  it('is no more than an information once it is over', () => {
    expect(alertOf(finding, 'raised')).toEqual({
      state: 'raised',
      code: 'retries-high',
      severity: 'warning',
      summary: 's',
      observed: 10,
      threshold: 10,
    })
    expect(alertOf(finding, 'recovered').severity).toBe('info')
  })
})

describe('a memory', () => {
  it('gives what has changed, once', async () => {
    const memory = createContainerMemory()
    expect(await memory.settle(stand(['a', 'b'], ['c']))).toEqual(stand(['a', 'b']))
    expect(await memory.settle(stand(['a'], ['b']))).toEqual(stand([], ['b']))
    expect(await memory.settle(stand(['a'], ['b']))).toEqual(nothing)
  })

  it('counts in a row, and says the same once in a while', async () => {
    let at = 5_000_000
    const memory = createContainerMemory({ now: () => at })
    expect([await memory.strike('a', true), await memory.strike('a', true), await memory.strike('a', false), await memory.strike('a', true)]).toEqual(
      [1, 2, 0, 1],
    )
    expect([await memory.isFirst('a', 1_000), await memory.isFirst('a', 1_000)]).toEqual([true, false])
    at += 1_000
    expect(await memory.isFirst('a', 1_000)).toBe(true)
    at -= 900_000
    expect(await memory.isFirst('a', 1_000)).toBe(true)
    for (let code = 0; code < 5_000; code += 1) expect(await memory.isFirst(`code ${code}`, 1_000)).toBe(true)
  })

  it('is the first that answers, and says nothing again that was said while none did', async () => {
    const shared = createContainerMemory()
    let away = true
    const durable: AlertMemory = { settle: async given => (away ? Promise.reject(new Error('away')) : shared.settle(given)) }
    const containers = [createLayeredMemory([durable]), createLayeredMemory([durable])]
    const [first, second] = containers as [AlertMemory, AlertMemory]
    expect(await first.settle(stand(['a']))).toEqual(stand(['a']))
    expect(await first.settle(stand(['a']))).toEqual(nothing)
    away = false
    expect(await first.settle(stand(['a']))).toEqual(nothing)
    expect(await second.settle(stand(['a']))).toEqual(nothing)
    expect(await second.settle(stand([], ['a']))).toEqual(stand([], ['a']))
    // Another time is another alert, also to the container that said it first.
    expect(await first.settle(stand(['a']))).toEqual(stand(['a']))
  })

  describe('of which the first may be lost', () => {
    const lost = new Set<AlertMemory>()
    const durable = () => {
      const kept = createContainerMemory()
      const memory: AlertMemory = { settle: async given => (lost.has(memory) ? Promise.reject(new Error('away')) : kept.settle(given)) }
      return memory
    }

    it('says again neither what was said by the first when that is gone, nor what was said by the second when the first is back', async () => {
      const [first, second] = [durable(), durable()]
      const memory = () => createLayeredMemory([first, second])
      expect(await memory().settle(stand(['a']))).toEqual(stand(['a']))
      lost.add(first)
      expect(await memory().settle(stand(['a', 'b']))).toEqual(stand(['b']))
      lost.delete(first)
      expect(await memory().settle(stand(['a', 'b']))).toEqual(nothing)
      expect(await memory().settle(stand([], ['a', 'b']))).toEqual(stand([], ['a', 'b']))
      expect(await memory().settle(stand([], ['a', 'b']))).toEqual(nothing)
    })

    it('says it anew when it begins anew, and that it is over, whoever knew of it', async () => {
      const [first, second] = [durable(), durable()]
      const memory = () => createLayeredMemory([first, second])
      lost.add(first)
      expect(await memory().settle(stand(['a']))).toEqual(stand(['a']))
      lost.delete(first)
      expect(await memory().settle(stand([], ['a']))).toEqual(stand([], ['a']))
      lost.add(first)
      expect(await memory().settle(stand(['a']))).toEqual(stand(['a']))
    })

    it('asks the second of two that notice at once only for the one that was first', async () => {
      const [first, second] = [durable(), durable()]
      const told = await Promise.all([1, 2, 3].map(() => createLayeredMemory([first, second]).settle(stand(['a']))))
      expect(told.flatMap(({ raised }) => raised)).toEqual(['a'])
    })
  })

  it('says that something is over where it said that it began, although nobody else knows', async () => {
    let away = true
    const empty = createContainerMemory()
    const memory = createLayeredMemory([{ settle: async given => (away ? Promise.reject(new Error('away')) : empty.settle(given)) }])
    await memory.settle(stand(['a']))
    away = false
    expect(await memory.settle(stand([], ['a']))).toEqual(stand([], ['a']))
    expect(await memory.settle(stand([], ['a']))).toEqual(nothing)
  })
})

it('signs by the published vector of Standard Webhooks', () => {
  const signed = signStandard({
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    body: '{"test": 2432232314}',
    sentAt: 1_614_265_330_000,
    key: Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64'),
  })
  expect(signed['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})

describe('the settings', () => {
  const secret = `whsec_${Buffer.alloc(24).toString('base64')}`

  it('take https, and http on this machine alone', () => {
    for (const url of ['https://example.com/x?y=z', 'http://localhost:1/x', 'http://127.0.0.1:9', 'http://[::1]:9/']) {
      expect(alertSettings.parse({ ALERT_URL: url, ALERT_SECRET: secret }).value).toMatchObject({ url, format: 'standard' })
      expect(scheduleSettings.parse({ HEARTBEAT_URL: url }).value).toEqual({ everyMs: 300_000, heartbeatUrl: url })
    }
    for (const url of ['http://example.com', 'http://127.0.0.1.example.com', 'ftp://localhost', 'hook', 'https://user:password@example.com']) {
      const issue = { variable: 'ALERT_URL', reason: expect.not.stringContaining('example') as string }
      expect(alertSettings.parse({ ALERT_URL: url, ALERT_SECRET: secret }).issues).toEqual([issue])
      expect(scheduleSettings.parse({ HEARTBEAT_URL: url }).issues).toMatchObject([{ variable: 'HEARTBEAT_URL' }])
    }
  })

  it('ask for a secret where alerts are signed', () => {
    const missing = [{ variable: 'ALERT_SECRET', reason: 'is missing: alerts in the standard format are signed' }]
    expect(alertSettings.parse({ ALERT_URL: 'https://example.com' }).issues).toEqual(missing)
    expect(alertSettings.parse({ ALERT_URL: 'https://example.com', ALERT_FORMAT: 'slack' }).value).toMatchObject({ format: 'slack', key: undefined })
    expect(alertSettings.parse({})).toEqual({ value: undefined })
    for (const wrong of ['secret', 'whsec_AAAA', `whsec_${'A'.repeat(100)}`]) {
      expect(alertSettings.parse({ ALERT_URL: 'https://example.com', ALERT_SECRET: wrong }).issues).toMatchObject([{ variable: 'ALERT_SECRET' }])
    }
  })

  it('have thresholds with defaults and bounds, and keys that are not short', () => {
    expect(thresholdSettings.parse({}).value).toMatchObject({ databaseFailures: 1, eventAgeMs: 900_000, certificateDays: 21, connectionsPercent: 90 })
    expect(thresholdSettings.parse({ ALERT_BUFFER_PERCENT: '101' }).issues).toMatchObject([{ variable: 'ALERT_BUFFER_PERCENT' }])
    expect(healthKeySettings.parse({}).value?.digests).toEqual([])
    expect(healthKeySettings.parse({ HEALTH_KEY: `${'a'.repeat(20)} ${'b'.repeat(20)}` }).value?.digests).toHaveLength(2)
    expect(healthKeySettings.parse({ HEALTH_KEY: 'short' }).issues).toMatchObject([{ variable: 'HEALTH_KEY' }])
  })
})
