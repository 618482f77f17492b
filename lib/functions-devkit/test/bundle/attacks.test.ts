import { createHmac, generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { composeDelivery } from '../../src/server/compose-delivery.ts'
import { localWebhookSecrets } from '../../src/server/webhook-secrets.ts'
import { schemeOf, type SourceDefinition } from '../../../webhook-inbox/src/verify/source.ts'
import { sourceTable } from '../application/lib/app/webhooks/sources.ts'
import { attacksOn, honestDelivery, type Attack, type Target } from '../support/attacks.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { callWeb, containerOf, readOutcome } from '../support/function-container.ts'
import { webhookSecret } from '../support/functions.ts'
import { stopContainers, type Container } from '../support/platform/container.ts'
import { webEvent } from '../support/platform/events.ts'

const MAX_BODY_BYTES = 750 * 1024
const secrets = localWebhookSecrets(webhookSecret)
const pair = generateKeyPairSync('ed25519')
const { d = '', x = '' } = pair.privateKey.export({ format: 'jwk' })
const raw = Buffer.from(x, 'base64url')
const publicKey = `whpk_${raw.toString('base64')}`
const privateKey = `whsk_${Buffer.concat([Buffer.from(d, 'base64url'), raw]).toString('base64')}`

let database: TestDatabase
let container: Container
let asymmetric: Container

beforeAll(async () => {
  database = await createTestDatabase()
  container = await containerOf('api/webhook', 'digitalocean', database, secrets)
  asymmetric = await containerOf('api/webhook', 'digitalocean', database, {
    ...secrets,
    WEBHOOK_SECRET_DEMO: publicKey,
    WEBHOOK_SECRET_PARTNER: 'none',
  })
})

afterAll(async () => {
  await stopContainers()
  await database.drop()
})

const stored = async () => (await database.query<{ count: number }>('SELECT count(*)::int AS count FROM webhook_events'))[0]?.count ?? -1

/** Sends an attack and tells what came of it, in the answer and in the log; a secret in either is an error. */
async function attempt(to: Container, source: string, { headers, body }: Pick<Attack, 'headers' | 'body'>) {
  const answer = await callWeb(to, { method: 'POST', path: `/${source}`, headers, body })
  const told = JSON.stringify([answer.body, answer.lines])
  for (const secret of Object.values(secrets)) if (told.includes(secret)) throw new Error('a secret was told')
  return {
    status: answer.status,
    code: answer.body.code,
    logged: answer.lines.filter(({ event }) => event === 'webhook.refused').map(({ source: name, code }) => [name, code]),
    members: Object.keys(answer.body).sort(),
  }
}

const refusal = (source: string, code: string) => ({
  status: 401,
  code,
  logged: [[source, code]],
  members: ['code', 'detail', 'requestId', 'status', 'title', 'type'],
})

describe.each(Object.entries<SourceDefinition>(sourceTable))('the source %s', (source, definition) => {
  const secretOf = (name: keyof typeof sourceTable) => secrets[sourceTable[name].secrets] ?? ''
  const anotherSecret =
    definition.scheme === 'standard' ? `whsec_${Buffer.alloc(32, 9).toString('base64')}` : secretOf(source === 'github' ? 'shopify' : 'github')
  const target: Target = { definition, secret: secrets[definition.secrets] ?? '', anotherSecret }

  it('refuses each attack with its code, tells a forger nothing more, and stores nothing', async () => {
    const before = await stored()
    const attacks = attacksOn(target)
    const answers = []
    for (const attack of attacks) answers.push({ what: attack.what, ...(await attempt(container, source, attack)) })
    expect(answers).toEqual(attacks.map(({ what, code }) => ({ what, ...refusal(source, code) })))
    expect(await stored()).toBe(before)
  })

  it('parks odd bodies that are signed well, unless their id is in them', async () => {
    const before = await stored()
    const place = definition.eventId ?? schemeOf(definition).eventId
    const hasId = place === 'body' || (place !== undefined && 'header' in place)
    const large = Buffer.from(JSON.stringify('x'.repeat(MAX_BODY_BYTES - 2)))
    const odd: [body: Buffer, refused: string][] = [
      [Buffer.alloc(0), 'json-unreadable'],
      [Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), 'json-unreadable'],
      [large, 'event-id-missing'],
      [Buffer.from('{'), 'json-unreadable'],
      [Buffer.from('{}'), 'event-id-missing'],
    ]
    expect(large.length).toBe(MAX_BODY_BYTES)
    for (const [index, [body, refused]] of odd.entries()) {
      const { signed } = honestDelivery(target, { id: `odd_${index}` })
      const answer = await callWeb(container, { method: 'POST', path: `/${source}`, headers: signed(body), body })
      const refusals = answer.lines.filter(({ event }) => event === 'webhook.refused').map(({ code }) => code)
      expect([answer.body.outcome, answer.body.code, refusals]).toEqual(hasId ? ['failed', undefined, []] : [undefined, refused, [refused]])
    }
    expect(await stored()).toBe(before + (hasId ? odd.length : 0))
  })

  it('takes an honest delivery once, with its headers in any letter case', async () => {
    const before = await stored()
    const { headers, body } = honestDelivery(target, { id: `evt_of_${source}` })
    const event = webEvent({ method: 'POST', path: `/${source}`, headers, body }, 'raw')
    const http = event.http as Record<string, unknown>
    const cases = [
      (name: string) => name,
      (name: string) => name.toUpperCase(),
      (name: string) => name.replace(/\b[a-z]/g, letter => letter.toUpperCase()),
    ]
    const outcomes = []
    for (const inCase of cases) {
      const named = Object.fromEntries(Object.entries(headers).map(([name, value]) => [inCase(name), value]))
      outcomes.push(readOutcome(await container.run({ ...event, http: { ...http, headers: named } })).body.outcome)
    }
    expect(outcomes).toEqual(['applied', 'duplicate', 'duplicate'])
    expect(await stored()).toBe(before + 1)
  })
})

describe('a source whose key is public', () => {
  const definition = sourceTable.demo
  const target: Target = { definition, secret: privateKey, anotherSecret: privateKey }

  it('takes v1a, and neither v1 nor an HMAC keyed with the public key', async () => {
    const before = await stored()
    const { headers, body } = honestDelivery(target, { id: 'evt_v1a' })
    const message = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body.toString()}`
    const forged = createHmac('sha256', raw).update(message).digest('base64')
    const withSignature = (signature: string) => ({ headers: { ...headers, 'webhook-signature': signature }, body })
    expect(await attempt(asymmetric, 'demo', withSignature(`v1,${forged}`))).toEqual(refusal('demo', 'signature-version'))
    expect(await attempt(asymmetric, 'demo', withSignature(`v1a,${forged}`))).toEqual(refusal('demo', 'signature-malformed'))
    expect(await attempt(asymmetric, 'demo', honestDelivery({ ...target, secret: webhookSecret }))).toEqual(refusal('demo', 'signature-version'))
    expect(await attempt(container, 'demo', { headers, body })).toEqual(refusal('demo', 'signature-version'))
    expect(await stored()).toBe(before)
    expect((await callWeb(asymmetric, { method: 'POST', path: '/demo', headers, body })).body).toEqual({ outcome: 'applied' })
  })

  it('refuses a stale v1a, and one of another body', async () => {
    const stale = honestDelivery(target, { sentAt: Date.now() - 310_000 })
    expect(await attempt(asymmetric, 'demo', stale)).toEqual(refusal('demo', 'timestamp-too-old'))
    expect(await attempt(asymmetric, 'demo', { ...honestDelivery(target), body: Buffer.from('{}') })).toEqual(refusal('demo', 'signature-mismatch'))
  })
})

it('a source without a secret refuses everything', async () => {
  const target: Target = { definition: sourceTable.partner, secret: secrets[sourceTable.partner.secrets] ?? '', anotherSecret: '' }
  expect(await attempt(asymmetric, 'partner', honestDelivery(target))).toEqual(refusal('partner', 'secret-missing'))
})

it.each(['stripe', 'github', 'shopify', 'partner'] as const)('%s: a delivery without an event id is answered 422 and not stored', async source => {
  const before = await stored()
  const definition: SourceDefinition = sourceTable[source]
  const secret = secrets[definition.secrets] ?? ''
  // As if the sender had ids elsewhere.
  const elsewhere = { ...definition, eventId: { header: 'x-elsewhere' } } as SourceDefinition
  const { headers, body } = composeDelivery({ definition: elsewhere, secret, type: 'transaction.completed', data: {} })
  const answer = await callWeb(container, { method: 'POST', path: `/${source}`, headers: { ...headers }, body })
  expect(answer).toMatchObject({ status: 422, body: { code: 'event-id-missing' } })
  expect(await stored()).toBe(before)
})

it('the log, and no answer, says that a body looks written anew and that a secret has blanks around it or is weak', async () => {
  const weak = await containerOf('api/webhook', 'digitalocean', database, { ...secrets, WEBHOOK_SECRET_GITHUB: ' weak-secret ' })
  const target: Target = { definition: sourceTable.github, secret: 'weak-secret', anotherSecret: '' }
  const { headers, body } = honestDelivery(target)
  const answer = await callWeb(weak, {
    method: 'POST',
    path: '/github',
    headers,
    body: Buffer.from(JSON.stringify(JSON.parse(body.toString()), undefined, 2)),
  })
  expect(answer.lines.filter(({ event }) => String(event).startsWith('webhook.'))).toEqual([
    expect.objectContaining({ event: 'webhook.secret.weak', level: 'warn', source: 'github', variable: 'WEBHOOK_SECRET_GITHUB' }),
    expect.objectContaining({ event: 'webhook.refused', code: 'signature-mismatch', hints: ['body-reserialised', 'secret-has-blanks'] }),
  ])
  expect(JSON.stringify(answer.body)).not.toMatch(/reserialised|blanks|weak/)
  expect(answer.body.code).toBe('signature-mismatch')
})
