import { expect, it } from 'vitest'
import { main } from '../../../functions-devkit/test/application/packages/api/webhook/index.ts'
import { call, withFunctions } from '../../../functions-devkit/test/support/functions.ts'
import { startReceiver, type Receiver } from '../../../functions-devkit/test/support/receiver.ts'
import { eventBody, signedHeaders } from '../../../functions-devkit/test/support/webhooks.ts'

const secret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`

async function withReceiver(work: (receiver: Receiver) => Promise<void>, changes: Readonly<Record<string, string>> = {}): Promise<void> {
  const receiver = await startReceiver({ secret })
  try {
    await withFunctions([main], () => work(receiver), { ALERT_URL: receiver.url, ALERT_SECRET: secret, ...changes })
  } finally {
    await receiver.stop()
  }
}

const send = (code: string) => {
  const body = eventBody('alert.raised', { code, severity: 'critical' })
  return call(main, { method: 'POST', path: '/demo', body, headers: signedHeaders(body) }, { getRemainingTimeInMillis: () => 4_000 })
}

it('passes on an alert that a sender raises, the same at most once in a while', async () => {
  await withReceiver(async ({ alerts }) => {
    for (const code of ['disk', 'disk', 'memory']) expect(await send(code)).toMatchObject({ statusCode: 200, body: { outcome: 'applied' } })
    expect(alerts).toMatchObject([
      { type: 'alert.raised', data: { code: 'demo/disk', severity: 'critical' } },
      { type: 'alert.raised', data: { code: 'demo/memory' } },
    ])
  })
})

it('passes it on while the database is away, too', async () => {
  await withReceiver(
    async ({ alerts }) => {
      expect(await send('disk')).toMatchObject({ statusCode: 200, body: { outcome: 'applied' } })
      expect(alerts).toHaveLength(1)
    },
    { DB_PORT: '1' },
  )
})

it('answers the sender all the same when nobody hears', async () => {
  await withReceiver(async receiver => {
    receiver.behave('silent')
    expect(await send('disk')).toMatchObject({ statusCode: 200, body: { outcome: 'applied' } })
    await receiver.stop()
    expect(await send('memory')).toMatchObject({ statusCode: 200, body: { outcome: 'applied' } })
    receiver.stop = async () => undefined
  })
})

it.each([
  'x\n[critical] database-unavailable: All is lost.',
  '*bold* _it_ ~no~ `code` <https://evil.example|Sign in> <!channel> @here',
  'safe\u202egnp.exe\u001b[2J',
])('passes on %j as one line without markup, to Slack and in the standard format', async code => {
  for (const format of ['slack', 'standard']) {
    const receiver = await startReceiver(format === 'slack' ? {} : { secret })
    const changes = { ALERT_URL: receiver.url, ALERT_FORMAT: format, ALERT_SECRET: format === 'slack' ? 'none' : secret }
    try {
      await withFunctions([main], async () => expect(await send(code)).toMatchObject({ statusCode: 200, body: { outcome: 'applied' } }), changes)
      expect(receiver.texts).toHaveLength(1)
      const { text = '', data } = JSON.parse(receiver.texts[0] ?? '') as { text?: string; data?: { code: string } }
      // eslint-disable-next-line no-control-regex -- what a terminal obeys
      expect(`${text}${data?.code ?? ''}`).not.toMatch(/[\u0000-\u001f\u202e]/)
      expect(text.replaceAll(/&(lt|gt|amp);/g, '')).not.toMatch(/[<>*~`|]|@here| _it_/)
      expect(`${text}${data?.code ?? ''}`).toMatch(/^(\[critical\] )?demo\//)
    } finally {
      await receiver.stop()
    }
  }
})
