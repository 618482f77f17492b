import { describe, expect, it } from 'vitest'
import { sendEvents } from '../../src/cli/send-events.ts'
import { readSendOptions, type SendOptions } from '../../src/cli/send-options.ts'
import { localWebhookSecrets } from '../../src/server/webhook-secrets.ts'
import { readEvent } from '../../../webhook-inbox/src/inbox/read-event.ts'
import { SignatureError } from '../../../webhook-inbox/src/verify/signature-error.ts'
import { defineSources } from '../../../webhook-inbox/src/verify/source-settings.ts'
import type { SourceDefinition } from '../../../webhook-inbox/src/verify/source.ts'
import { samples } from '../application/lib/app/samples.ts'
import { sourceTable } from '../application/lib/app/webhooks/sources.ts'

const demoSecret = `whsec_${Buffer.alloc(32, 3).toString('base64')}`
const secrets = localWebhookSecrets(demoSecret)
const table: Record<string, SourceDefinition> = sourceTable
const sources = defineSources(table, []).parse(secrets).value

/** Takes deliveries as the function would: 401 for a bad signature, 200 with what was read otherwise. */
async function send(args: string[]) {
  const options: SendOptions = readSendOptions(args)
  const source = sources?.get(options.source)
  const definition = table[options.source]
  if (!source || !definition) throw new Error('no such source')
  const ids: string[] = []
  const lines: string[] = []
  const post = ((url: string, init: { headers: Record<string, string>; body: string }) => {
    expect(url).toBe(`http://127.0.0.1:1/webhook/${options.source}`)
    const request = { headers: init.headers, body: Buffer.from(init.body) }
    try {
      source.verify(request)
    } catch (error) {
      if (!(error instanceof SignatureError)) throw error
      return Promise.resolve(Response.json({ code: error.code }, { status: 401 }))
    }
    const { id, type, data } = readEvent(source, request)
    expect(type).toBe(options.type)
    if (options.data !== undefined) expect(data).toMatchObject(options.data)
    const outcome = ids.includes(id) ? 'duplicate' : 'applied'
    ids.push(id)
    return Promise.resolve(Response.json({ outcome }))
  }) as unknown as typeof fetch
  const secret = secrets[definition.secrets] ?? ''
  const tools = {
    address: 'http://127.0.0.1:1',
    definition,
    secret,
    print: (line: string) => void lines.push(line),
    eventData: samples.eventData,
    post,
  }
  const asExpected = await sendEvents(options, tools)
  return { asExpected, answers: lines.map(line => line.split('  ')[0]) }
}

describe.each(Object.keys(table))('what is sent as %s', source => {
  it('is what its source takes', async () => {
    expect(await send([source, 'transaction.completed'])).toEqual({ asExpected: true, answers: ['200 applied'] })
    expect(await send([source, 'a.b', '--data', '{"x":1}'])).toEqual({ asExpected: true, answers: ['200 applied'] })
  })

  it('is another event each time, the same twice on demand, and refused when it is tampered with', async () => {
    expect(await send([source, 'a.b', '--times', '2', '--duplicate'])).toEqual({
      asExpected: true,
      answers: ['200 applied', '200 duplicate', '200 applied', '200 duplicate'],
    })
    expect(await send([source, 'a.b', '--tamper'])).toEqual({ asExpected: true, answers: ['401 signature-mismatch'] })
  })
})

describe('the arguments', () => {
  it.each([
    ['none', []],
    ['no type', ['demo']],
    ['one too many', ['demo', 'a', 'b']],
    ['an unknown option', ['demo', 'a', '--slowly']],
    ['no number of times', ['demo', 'a', '--times', 'many']],
    ['no times at all', ['demo', 'a', '--times', '0']],
    ['data that is no object', ['demo', 'a', '--data', '[1]']],
    ['data that is no JSON', ['demo', 'a', '--data', '{']],
  ])('are explained when there are %s', (_what, args) => {
    expect(() => readSendOptions(args)).toThrow('usage: npm run send')
  })
})

describe('secrets on a developer’s machine', () => {
  it('are there for every source, each its own and the same at every start', () => {
    expect(Object.keys(secrets).sort()).toEqual(
      Object.values(table)
        .map(one => one.secrets)
        .sort(),
    )
    expect(new Set(Object.values(secrets)).size).toBe(Object.keys(table).length)
    expect(localWebhookSecrets(demoSecret)).toEqual(secrets)
    expect(secrets.WEBHOOK_SECRET_DEMO).toBe(demoSecret)
    expect(localWebhookSecrets(`${demoSecret}A`).WEBHOOK_SECRET_STRIPE).not.toBe(secrets.WEBHOOK_SECRET_STRIPE)
  })

  it('are strong ones that a source of their scheme takes', () => {
    const own = { mine: { scheme: 'standard', secrets: 'WEBHOOK_SECRET_MINE' } } as const satisfies Record<string, SourceDefinition>
    expect(defineSources(own, []).parse(localWebhookSecrets(demoSecret, own))).toMatchObject({ value: { weakSecrets: [] } })
    expect(sources?.weakSecrets).toEqual([])
  })
})
