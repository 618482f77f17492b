import { application } from '../../application.ts'
import type { SmokeTools } from '../../../../functions-runtime/src/api/samples.ts'
import { inWords } from '../../server/report.ts'
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
  const { url, healthKey } = target
  const id = `smoke_${mark}`
  const withHealthKey = healthKey === undefined ? {} : { headers: { authorization: `Bearer ${healthKey}` } }

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
    ...ownChecks(target, mark),
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

/** The application's own checks. */
function ownChecks({ url, apiKey }: SmokeTarget, mark: string): readonly Check[] {
  const tools: SmokeTools = {
    mark,
    async call({ method, path, headers, body, withoutKey = false }, { status, fields }) {
      const sent = {
        ...(withoutKey || apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      }
      const options = { ...(method && { method }), headers: sent, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
      const answer = await call(`${url}${path}`, options)
      expectAnswer(answer, status, fields)
      return answer.body
    },
  }
  return application.smoke.checks().map(({ name, run }) => ({
    name,
    run: () =>
      run(tools).catch((error: unknown) => {
        throw error instanceof CheckError ? error : new CheckError(inWords(error), { cause: error })
      }),
  }))
}

/** Which components are not well, as far as the key lets that be seen. */
function troubles({ body }: Answer): string {
  const checks = Object.entries((body.checks ?? {}) as Readonly<Record<string, readonly { status?: string; output?: string }[]>>)
  const found = checks.flatMap(([name, entries]) =>
    [entries].flat().flatMap(({ status, output }) => (status === 'pass' ? [] : [`${name} ${status ?? 'unknown'}${output ? `, ${output}` : ''}`])),
  )
  return found.length === 0 ? '' : ` (${found.join('; ')})`
}
