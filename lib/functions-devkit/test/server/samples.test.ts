import { execFileSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Samples } from '../../../functions-runtime/src/api/samples.ts'
import { describeSamples } from '../../src/server/announce.ts'
import { createSamples, shellQuote } from '../../src/server/samples.ts'
import { samples as given } from '../application/lib/app/samples.ts'

const NOW = Date.parse('2026-03-01T12:00:00.750Z')
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

function samples(changes: Partial<Parameters<typeof createSamples>[0]> = {}) {
  return createSamples({ samples: given, address: 'http://127.0.0.1:8080', webhookSecret: SECRET, apiKey: 'key_abc', now: () => NOW, ...changes })
}

/** What a shell makes of a command: its words. */
function words(command: string): string[] {
  return execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${command}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1)
}

describe('the commands', () => {
  test('are one line each', () => {
    const { webhook, requests } = samples()
    expect(webhook).not.toContain('\n')
    expect(requests.map(({ title, command }) => [title, command.includes('\n')])).toEqual([['A new user', false]])
  })

  test('hold no webhook for an application without sources', () => {
    const commands = samples({ receivesWebhooks: false })
    expect(commands.webhook).toBeUndefined()
    expect(describeSamples(commands)).toMatch(/^\nA new user:\ncurl /)
    expect(describeSamples({ ...commands, requests: [] })).toBe('')
  })

  test('sign the very bytes that they send', () => {
    const sent = words(samples().webhook ?? '')
    const header = (name: string) => sent.find(word => word.startsWith(`${name}: `))?.slice(name.length + 2)
    const body = sent[sent.indexOf('--data-raw') + 1] ?? ''
    const key = Buffer.alloc(32, 7)
    const signed = createHmac('sha256', key)
      .update(`${header('webhook-id')}.${header('webhook-timestamp')}.${body}`)
      .digest('base64')
    expect(header('webhook-signature')).toBe(`v1,${signed}`)
    expect(header('content-type')).toBe('application/json')
    expect(JSON.parse(body)).toMatchObject({
      type: 'transaction.completed',
      timestamp: '2026-03-01T12:00:00.750Z',
      data: { amount: '12.50', currency: 'EUR' },
    })
    expect(sent.at(-1)).toBe('http://127.0.0.1:8080/webhook/demo')
  })

  test('send the API key and a new user', () => {
    const sent = words(samples({ freshId: () => 'f00' }).requests[0]?.command ?? '')
    expect(sent).toContain('authorization: Bearer key_abc')
    expect(JSON.parse(sent[sent.indexOf('--data-raw') + 1] ?? '')).toEqual({ email: 'ada+f00@example.com', name: 'Ada' })
    expect(sent.at(-1)).toBe('http://127.0.0.1:8080/user')
  })

  test('name the method unless curl takes it from the body', () => {
    const put = { title: 'A change', method: 'PUT', path: '/user/1', body: () => ({}) }
    const [command = ''] = samples({ samples: { ...given, requests: [put] } }).requests.map(one => one.command)
    expect(words(command)).toEqual(expect.arrayContaining(['-X', 'PUT', 'http://127.0.0.1:8080/user/1']))
    expect(words(samples().requests[0]?.command ?? '')).not.toContain('-X')
  })

  test('send no body and name no method for a GET', () => {
    const get = { title: 'A look', method: 'GET', path: '/user' }
    const [{ command = '' } = {}] = samples({ samples: { ...given, requests: [get] } }).requests
    expect(words(command)).not.toEqual(expect.arrayContaining(['-X']))
    expect(command).not.toContain('--data-raw')
    expect(command).not.toContain('content-type')
  })

  test('have one id for a name in the event and in the requests of a set', () => {
    let last = 0
    const shared: Samples = {
      eventType: 'a.b',
      eventData: (_type, freshId) => ({ user: freshId('user'), other: freshId() }),
      requests: [{ title: 'One', method: 'POST', path: '/user', body: freshId => ({ user: freshId('user'), other: freshId() }) }],
    }
    const set = samples({ samples: shared, freshId: () => `id-${(last += 1)}` })
    const bodies = [set.webhook ?? '', set.requests[0]?.command ?? ''].map(command => {
      const sent = words(command)
      return JSON.parse(sent[sent.indexOf('--data-raw') + 1] ?? '') as { user: string; other: string; data?: { user: string; other: string } }
    })
    const [event, request] = [bodies[0]?.data, bodies[1]]
    expect(event?.user).toBe(request?.user)
    expect(event?.other).not.toBe(request?.other)
  })

  test('look up the id that a path needs', () => {
    const get = { title: 'What is there', method: 'GET', path: '/user/{id}/balances', lookUp: () => "/user?name=O'Neill" }
    const [{ command = '' } = {}] = samples({ samples: { ...given, requests: [get] } }).requests
    const shell = `curl() { for last; do :; done; case $last in *name=*) echo '{"items":[{"id":"7f","externalId":"x"}]}';; *) echo "$last";; esac; }`
    const asked = execFileSync('/bin/sh', ['-c', `${shell}\n${command}`], { encoding: 'utf8' })
    expect(asked).toBe('http://127.0.0.1:8080/user/7f/balances\n')
  })

  test('have ids of their own each time', () => {
    const [one, other] = [samples(), samples()]
    expect(one.webhook).not.toBe(other.webhook)
    expect(one.requests).not.toEqual(other.requests)
  })

  test('are good for five minutes from the second that was signed', () => {
    expect(samples().goodUntil.toISOString()).toBe('2026-03-01T12:05:00.000Z')
  })
})

describe('quoting for the shell', () => {
  test('keeps every character of a word', () => {
    const word = fc.string({ unit: 'grapheme' }).filter(text => !text.includes('\0'))
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), given => {
        expect(words(given.map(shellQuote).join(' '))).toEqual(given)
      }),
      { numRuns: 40 },
    )
  })

  test('leaves a plain word as it is', () => {
    expect(shellQuote('http://127.0.0.1:8080/user')).toBe('http://127.0.0.1:8080/user')
    expect(shellQuote("it's")).toBe(String.raw`'it'\''s'`)
    expect(shellQuote('')).toBe("''")
  })
})
