import { randomBytes } from 'node:crypto'
import { afterEach, expect, it } from 'vitest'
import { withDatabase } from '../../lib/functions-devkit/test/support/database.ts'
import { apiKey, webhookSecret } from '../../lib/functions-devkit/test/support/functions.ts'
import { callWeb, containerOf } from '../../lib/functions-devkit/test/support/function-container.ts'
import { healthKey } from '../../lib/functions-devkit/test/support/health.ts'
import { stopContainers, type Container } from '../../lib/functions-devkit/test/support/platform/container.ts'
import { scheduledEvent, webEvent, type WebRequest } from '../../lib/functions-devkit/test/support/platform/events.ts'
import { completedTransaction, signedHeaders } from '../../lib/functions-devkit/test/support/webhooks.ts'

afterEach(stopContainers)

const marked = (what: string) => `${what}${randomBytes(6).toString('hex')}`

/** Everything that a container has printed and answered. */
function listener() {
  const logs: unknown[] = []
  const answers: unknown[] = []
  const ask = async (container: Container, request: WebRequest) => {
    const { lines, stderr, ...answer } = await callWeb(container, request)
    logs.push(lines, stderr)
    answers.push(answer)
    return answer
  }
  return { logs, answers, ask }
}

it('no log tells a key, a secret, a password, or who anybody is, and no answer who was erased, whatever goes wrong meanwhile', async () => {
  await withDatabase(async database => {
    const level = { LOG_LEVEL: 'trace' }
    const user = await containerOf('api/user', 'digitalocean', database, level)
    const webhook = await containerOf('api/webhook', 'digitalocean', database, level)
    const maintenance = await containerOf('ops/maintenance', 'digitalocean', database, level)
    const person = {
      email: `${marked('mail')}@example.com`,
      name: marked('Name'),
      agent: marked('agent'),
      external: marked('usr_'),
      key: marked('idem'),
    }
    const from = { 'x-forwarded-for': '203.0.113.77', 'user-agent': person.agent }
    const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', 'idempotency-key': person.key, ...from }
    const { logs, answers, ask } = listener()
    const body = JSON.stringify({ email: person.email, name: person.name, externalId: person.external })
    const deliver = (data: Record<string, unknown>) => {
      const event = completedTransaction({ userId: person.external, ...data })
      return ask(webhook, { method: 'POST', path: '/demo', headers: signedHeaders(event), body: event })
    }

    const created = await ask(user, { method: 'POST', headers, body })
    const path = `/${String(created.body.id)}`
    await ask(user, { method: 'POST', headers: { ...headers, 'idempotency-key': 'other' }, body })
    await ask(user, { method: 'POST', headers, body: body.slice(0, -5) })
    await ask(user, { method: 'POST', headers, body: body.replace(person.name, '') })
    await ask(user, { method: 'GET', headers: { ...headers, authorization: `Bearer ${apiKey}x` } })
    await ask(user, { method: 'GET', headers, query: `email=${person.email}` })
    await deliver({})
    await deliver({ amount: 'ten' })
    await database.query('ALTER TABLE activities RENAME TO hidden')
    await ask(user, { method: 'PATCH', path, headers: { ...headers, 'if-match': '*' }, body: JSON.stringify({ name: `${person.name}2` }) })
    await database.query('ALTER TABLE hidden RENAME TO activities')
    await database.query('ALTER TABLE transactions RENAME TO hidden')
    await ask(user, {
      method: 'POST',
      path: `${path}/transactions`,
      headers: { ...headers, 'idempotency-key': 't' },
      body: '{"amount":"1","currency":"EUR"}',
    })
    await deliver({})
    await database.query('ALTER TABLE hidden RENAME TO transactions')
    await database.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()')
    await ask(user, { method: 'DELETE', path, headers })
    const before = answers.length
    await ask(user, { method: 'GET', path, headers })
    await ask(user, { method: 'POST', headers, body })
    await ask(user, { method: 'GET', headers, query: 'limit=100' })
    await ask(user, { method: 'GET', headers, query: `email=${person.email}` })
    const { logs: printed } = await maintenance.run(scheduledEvent())
    logs.push(printed.stdout, printed.stderr)

    const hidden = [marked('hook'), marked('beat'), `whsec_${randomBytes(24).toString('base64')}`, marked('redis')] as const
    const health = await containerOf('api/health', 'digitalocean', database, {
      ...level,
      HEALTH_KEY: healthKey,
      ALERT_URL: `http://127.0.0.1:1/${hidden[0]}`,
      HEARTBEAT_URL: `http://127.0.0.1:1/?key=${hidden[1]}`,
      ALERT_SECRET: hidden[2],
      ALERT_CERTIFICATE_DAYS: '3650',
      REDIS_URL: `redis://:${hidden[3]}@127.0.0.1:1`,
    })
    for (const path of ['/ready', '/database', '/metrics']) {
      const { logs: said } = await health.run(webEvent({ path, headers: { authorization: `Bearer ${healthKey}` } }, 'raw'))
      logs.push(said.stdout, said.stderr)
    }
    const checked = await health.run(scheduledEvent({ task: 'health' }))
    expect(checked.result).toMatchObject({ heartbeat: false, alerts: { undelivered: ['certificate-expiring'] } })
    logs.push(checked.logs.stdout, checked.logs.stderr)

    const statuses = (answers as { status: number }[]).map(({ status }) => status)
    expect(statuses).toEqual([201, 409, 400, 422, 401, 200, 200, 200, 200, 500, statuses[10], 204, 404, 404, 200, 200])
    const secrets = [apiKey, webhookSecret, webhookSecret.slice(6), database.connectionSettings.password, healthKey, ...hidden, hidden[2].slice(6)]
    const nobody = [...secrets, ...Object.values(person), '203.0.113.77']
    const log = JSON.stringify(logs)
    expect(log).toContain('invocation.completed')
    expect(log).toContain('operation.fallback')
    expect(nobody.filter(text => log.includes(text))).toEqual([])
    expect(secrets.filter(text => JSON.stringify(answers).includes(text))).toEqual([])
    expect(nobody.filter(text => JSON.stringify(answers.slice(before)).includes(text))).toEqual([])
    await stopContainers()
  })
})
