import { application } from '../../application.ts'
import { call, CheckError, expectAnswer, type Answer } from './call.ts'
import { sendEvent, signPing } from './events.ts'
import type { SmokeTarget } from './target.ts'

/** A check that says nothing against a deployment, but could not look at all of it. */
export class CheckWarning extends CheckError {}

export interface Check {
  readonly name: string
  /** What it saw, for a person. @throws CheckError */
  readonly run: () => Promise<string>
}

/** Everything that is looked at after a deployment, in this order. `mark` tells this run from every other. */
export function checklist(target: SmokeTarget, mark: string): readonly Check[] {
  const { url, apiKey, healthKey } = target
  const id = `smoke_${mark}`
  const authorization = `Bearer ${apiKey}`
  const withHealthKey = healthKey === undefined ? {} : { headers: { authorization: `Bearer ${healthKey}` } }
  const user = { email: `smoke-${mark}@example.com`, name: 'Smoke test', externalId: `${application.smokeMark}${mark}` }
  let userUrl: string | undefined

  async function createUser(): Promise<Answer> {
    const headers = { authorization, 'content-type': 'application/json', 'idempotency-key': id }
    const answer = await call(`${url}/user`, { method: 'POST', headers, body: JSON.stringify(user) })
    expectAnswer(answer, 201, { email: user.email, externalId: user.externalId })
    return answer
  }

  function created(): string {
    if (userUrl === undefined) throw new CheckError('there is no user to do it with')
    return userUrl
  }

  return [
    {
      name: 'alive',
      async run() {
        expectAnswer(await call(`${url}/health`), 200, { status: 'pass' })
        return 'GET /health: pass'
      },
    },
    {
      name: 'ready',
      async run() {
        const answer = await call(`${url}/health/ready`, withHealthKey)
        expectAnswer(answer, 200)
        if (answer.body.status === 'warn') throw new CheckWarning(`GET /health/ready: warn${troubles(answer)}`)
        expectAnswer(answer, 200, { status: 'pass' })
        return 'GET /health/ready: pass'
      },
    },
    {
      name: 'signed event',
      async run() {
        expectAnswer(await sendEvent(signPing(id, target), target), 200, { outcome: 'applied' })
        return `${id}: applied`
      },
    },
    {
      name: 'its duplicate',
      async run() {
        expectAnswer(await sendEvent(signPing(id, target), target), 200, { outcome: 'duplicate', first: 'applied' })
        return 'recognised'
      },
    },
    {
      name: 'forged event',
      async run() {
        const { headers, body } = signPing(id, target)
        expectAnswer(await call(`${url}/webhook/demo`, { method: 'POST', headers, body: body.replace(/\}$/, ' }') }), 401)
        return 'refused with 401'
      },
    },
    {
      name: 'user created',
      async run() {
        const { body } = await createUser()
        userUrl = `${url}/user/${String(body.id)}`
        return `201, ${String(body.id)}`
      },
    },
    {
      name: 'created once',
      async run() {
        const again = await createUser()
        if (`${url}/user/${String(again.body.id)}` !== created()) throw new CheckError('the same Idempotency-Key made another user')
        return 'the same answer for the same Idempotency-Key'
      },
    },
    {
      name: 'user read',
      async run() {
        expectAnswer(await call(created(), { headers: { authorization } }), 200, { email: user.email })
        return '200'
      },
    },
    {
      name: 'user without a key',
      async run() {
        expectAnswer(await call(created()), 401)
        return 'refused with 401'
      },
    },
    {
      name: 'user erased',
      async run() {
        expectAnswer(await call(created(), { method: 'DELETE', headers: { authorization } }), 204)
        expectAnswer(await call(created(), { headers: { authorization } }), 404)
        return '204, then 404'
      },
    },
    {
      name: 'metrics',
      async run() {
        if (healthKey === undefined) throw new CheckWarning('not looked at: HEALTH_KEY is not set')
        const answer = await call(`${url}/health/metrics`, withHealthKey)
        expectAnswer(answer, 200)
        const names = [...answer.text.matchAll(/^# TYPE (\S+) /gm)]
        if (names.length === 0) throw new CheckError('answered 200 without any metric')
        if (!/^functions_database_up 1$/m.test(answer.text)) throw new CheckError('the scrape did not see the database')
        return `${names.length} metrics`
      },
    },
  ]
}

/** Which components are not well, as far as the key lets that be seen. */
function troubles({ body }: Answer): string {
  const checks = Object.entries((body.checks ?? {}) as Readonly<Record<string, readonly { status?: string; output?: string }[]>>)
  const found = checks.flatMap(([name, entries]) =>
    [entries].flat().flatMap(({ status, output }) => (status === 'pass' ? [] : [`${name} ${status ?? 'unknown'}${output ? `, ${output}` : ''}`])),
  )
  return found.length === 0 ? '' : ` (${found.join('; ')})`
}
