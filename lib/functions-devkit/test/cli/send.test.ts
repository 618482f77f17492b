import { describe, expect, it } from 'vitest'
import { UsageError } from '../../src/cli/define-command.ts'
import { command, type SendOptions } from '../../src/cli/options/send.ts'
import { describeSent, sendEvents, type SentAnswer } from '../../src/cli/send-events.ts'
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
  const options: SendOptions = command.parse(args)
  const source = sources?.get(options.source)
  const definition = table[options.source]
  if (!source || !definition) throw new Error('no such source')
  const ids: string[] = []
  const lines: string[] = []
  const bodies: string[] = []
  const post = ((url: string, init: { headers: Record<string, string>; body: string }) => {
    expect(url).toBe(`http://127.0.0.1:1/webhook/${options.source}`)
    bodies.push(init.body)
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
    const outcome = type?.endsWith('.failing') ? 'failed' : ids.includes(id) ? 'duplicate' : 'applied'
    ids.push(id)
    return Promise.resolve(Response.json({ outcome }))
  }) as unknown as typeof fetch
  const secret = secrets[definition.secrets] ?? ''
  const tools = {
    address: 'http://127.0.0.1:1',
    definition,
    secret,
    answered: (answer: SentAnswer) => void lines.push(describeSent(answer)),
    eventData: samples.eventData,
    post,
  }
  const sent = await sendEvents(options, tools)
  return { asExpected: sent.every(one => one.asExpected), answers: lines.map(line => line.split('  ')[0]), sent, lines, bodies }
}

describe.each(Object.keys(table))('what is sent as %s', source => {
  it('is what its source takes', async () => {
    expect(await send([source, 'transaction.completed'])).toMatchObject({ asExpected: true, answers: ['200 applied'] })
    expect(await send([source, 'a.b', '--data', '{"x":1}'])).toMatchObject({ asExpected: true, answers: ['200 applied'] })
  })

  it('is another event each time, the same twice on demand, and refused when it is tampered with', async () => {
    expect(await send([source, 'a.b', '--times', '2', '--duplicate'])).toMatchObject({
      asExpected: true,
      answers: ['200 applied', '200 duplicate', '200 applied', '200 duplicate'],
    })
    expect(await send([source, 'a.b', '--tamper'])).toMatchObject({ asExpected: true, answers: ['401 signature-mismatch'] })
  })
})

describe.each(Object.keys(table))('the bodies sent as %s', source => {
  it('are the same for an event that is sent twice', async () => {
    const { bodies } = await send([source, 'a.b', '--data', '{"x":1}', '--times', '3', '--duplicate'])
    expect(bodies[0]).toBe(bodies[1])
    for (const body of bodies) expect(JSON.stringify(JSON.parse(body))).toContain('"x":1')
  })
})

it.each(Object.keys(table).filter(name => table[name]?.replayGuard === 'body' || table[name]?.eventId === 'body'))(
  'each event of %s, which counts a body once, has a body of its own',
  async source => {
    const { bodies } = await send([source, 'a.b', '--data', '{"x":1}', '--times', '3'])
    expect(new Set(bodies).size).toBe(3)
  },
)

describe('an answer', () => {
  it('is shown with its body', async () => {
    const { lines, sent } = await send(['demo', 'a.b'])
    expect(lines).toEqual([`200 applied  ${sent[0]?.id}  {"outcome":"applied"}`])
    expect(sent).toEqual([{ id: sent[0]?.id, status: 200, outcome: 'applied', body: { outcome: 'applied' }, asExpected: true }])
  })

  it.each([
    [['--expect', 'applied'], true],
    [['--expect', 'ignored'], false],
    [['--expect', 'applied', '--duplicate'], true],
    [['--expect', 'ignored', '--duplicate'], false],
    [['--tamper', '--expect', 'signature-mismatch'], true],
    [['--tamper', '--expect', 'applied'], false],
  ])('with %j is as expected: %s', async (words, asExpected) => {
    const result = await send(['demo', 'a.b', ...words])
    expect(result.asExpected).toBe(asExpected)
    expect(result.lines[0]?.endsWith('← not as expected')).toBe(!asExpected)
  })
})

describe('an event that failed', () => {
  it('is not as expected unless it was asked for', async () => {
    expect(await send(['demo', 'a.failing'])).toMatchObject({ asExpected: false, answers: ['200 failed'] })
    expect(await send(['demo', 'a.failing', '--expect', 'failed'])).toMatchObject({ asExpected: true })
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
    expect(() => command.parse(args)).toThrow(UsageError)
    expect(() => command.parse(args)).toThrow('usage: npm run send')
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
