import { describe, expect, it } from 'vitest'
import { requiredText } from '../../src/settings/schemas.ts'
import { defineSettings, settled } from '../../src/settings/settings.ts'
import { ApplicationError, ContentError } from '../../src/edge/http-errors.ts'
import { defineFunction, type FunctionDefinition } from '../../src/edge/define.ts'
import { json } from '../../src/edge/reply.ts'
import { currentDeadline } from '../../../invocation/src/deadline-scope.ts'
import { holdForInvocation, marksCalls } from '../../../invocation/src/invocation-scope.ts'
import { call, withEnvironment } from '../../../functions-devkit/test/support/functions.ts'

type Definition = FunctionDefinition<Record<string, never>, object>

function define(changes: Partial<Definition> = {}) {
  const lines: Record<string, unknown>[] = []
  const main = defineFunction(
    { name: 'test/sample', settings: {}, setup: () => ({}), ...changes },
    {
      output: { write: text => void lines.push(JSON.parse(text) as Record<string, unknown>) },
    },
  )
  return { main, lines }
}

describe('a call over the web', () => {
  it('answers what the handler answers, with a request id and one line in the log', async () => {
    const { main, lines } = define({ routes: { 'GET /{id}': ({ params }) => json(200, { id: params.id }) } })
    const answer = await call(main, { path: '/7', headers: { 'X-Request-Id': 'abc' } })
    expect(answer).toMatchObject({ statusCode: 200, body: { id: '7' }, headers: { 'content-type': 'application/json' } })
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject({ event: 'invocation.completed', route: 'GET /{id}', status: 200, cold: true, function: 'test/sample' })
  })

  it('repeats a plain request id and replaces any other', async () => {
    const { main } = define({ routes: { 'GET /': () => json(200, {}) } })
    expect((await call(main, { headers: { 'x-request-id': 'abc-1' } })).headers['x-request-id']).toBe('abc-1')
    expect((await call(main, { headers: { 'x-request-id': 'a b\r\nset-cookie: x' } }, { requestId: 'from-platform' })).headers['x-request-id']).toBe(
      'from-platform',
    )
  })

  it('turns an error raised on purpose into its problem document', async () => {
    const { main } = define({
      routes: {
        'GET /': () => {
          throw new ApplicationError('Come back later.', { code: 'busy', status: 503, retryAfterMs: 1_200 })
        },
      },
    })
    const answer = await call(main, {})
    expect(answer).toMatchObject({
      statusCode: 503,
      headers: { 'content-type': 'application/problem+json', 'retry-after': '2' },
      body: { status: 503, code: 'busy', detail: 'Come back later.' },
    })
  })

  it('tells the paths of content that does not fit', async () => {
    const { main } = define({
      routes: {
        'GET /': () => {
          throw new ContentError([{ path: '/a', message: 'no' }])
        },
      },
    })
    expect((await call(main, {})).body).toMatchObject({ code: 'content-invalid', errors: [{ path: '/a', message: 'no' }] })
  })

  it('says nothing of an unexpected error to the caller, and shows it redacted in the log', async () => {
    const { main, lines } = define({
      routes: {
        'GET /': () => {
          throw Object.assign(new Error('connect ECONNREFUSED db.internal.example.com:25060 for "ann"'), { sql: undefined })
        },
      },
    })
    const answer = await call(main, {})
    expect(answer).toMatchObject({ statusCode: 500, body: { code: 'internal-error' } })
    const everything = JSON.stringify([answer, lines])
    expect(everything).not.toMatch(/db\.internal|25060|ann/)
    expect(lines[0]).toMatchObject({
      event: 'invocation.failed',
      error: { type: 'Error', stack: expect.arrayContaining([expect.stringContaining('define.test.ts')]) as string[] },
    })
    expect(lines[1]).toMatchObject({ event: 'invocation.completed', status: 500 })
    expect(JSON.stringify(answer)).not.toContain('define.test.ts')
  })

  it('answers 504 when the handler overruns the deadline', async () => {
    const { main, lines } = define({ routes: { 'GET /': () => new Promise(() => undefined) } })
    const answer = await call(main, {}, { getRemainingTimeInMillis: () => 520 })
    expect(answer).toMatchObject({ statusCode: 504, body: { code: 'deadline-exceeded' } })
    expect(lines.at(-1)).toMatchObject({ event: 'invocation.completed', status: 504 })
  })

  it('hands over the bytes as they were sent, whether coded in base64 or not', async () => {
    const bodies: Buffer[] = []
    const { main } = define({ routes: { 'POST /': ({ body }) => (bodies.push(body), json(200, {})) } })
    await call(main, { method: 'POST', body: Buffer.from([0, 255, 10]) })
    await call(main, { method: 'POST', body: 'ünï', base64: false })
    expect(bodies).toEqual([Buffer.from([0, 255, 10]), Buffer.from('ünï')])
  })

  it('lets go of what it still holds once it is answered', async () => {
    const letGo: string[] = []
    const { main } = define({
      routes: {
        'GET /': () => {
          holdForInvocation(() => void letGo.push('held'))
          expect(letGo).toEqual([])
          return json(200, {})
        },
      },
    })
    expect((await call(main, {})).statusCode).toBe(200)
    expect(letGo).toEqual(['held'])
  })

  it('hands its deadline down, never longer than a sender waits', async () => {
    let remainingMs: number | undefined
    const { main } = define({
      routes: {
        'GET /': () => {
          remainingMs = currentDeadline()?.remainingMs()
          return json(200, {})
        },
      },
    })
    await call(main, {}, { getRemainingTimeInMillis: () => 60_000 })
    expect(remainingMs).toBeGreaterThan(0)
    expect(remainingMs).toBeLessThanOrEqual(20_000)
  })
})

describe('an unexpected error', () => {
  const failing = {
    routes: {
      'GET /': () => {
        throw new TypeError('cannot read "bob@example.com" of null')
      },
    },
  }
  const view = { describe: (error: unknown) => ({ whole: String(error) }), detailOf: (error: unknown) => `in full: ${String(error)}` }

  it('is shown in full where the host brings a view', async () => {
    const { main, lines } = define(failing)
    main.hostedBy({ errors: view })
    const answer = await call(main, {})
    expect(answer).toMatchObject({
      statusCode: 500,
      body: { code: 'internal-error', detail: 'in full: TypeError: cannot read "bob@example.com" of null' },
    })
    expect(lines[0]).toMatchObject({ event: 'invocation.failed', error: { whole: 'TypeError: cannot read "bob@example.com" of null' } })
  })

  it('marks calls of the database where the host brings a view', async () => {
    const marked: boolean[] = []
    const { main } = define({ routes: { 'GET /': () => (marked.push(marksCalls()), json(200, {})) } })
    await call(main, {})
    main.hostedBy({ errors: view })
    await call(main, {})
    expect(marked).toEqual([false, true])
  })

  it('stays redacted for a host without one, whatever the environment says', async () => {
    const { main, lines } = define(failing)
    main.hostedBy({ environment: { NODE_ENV: 'development', LOG_LEVEL: 'trace', NODE_OPTIONS: '--enable-source-maps' } })
    const answer = await withEnvironment({ NODE_ENV: 'development', DEBUG: '*' }, () => call(main, {}))
    expect(answer).toMatchObject({ statusCode: 500, body: { detail: 'Something went wrong on our side.' } })
    expect(JSON.stringify([answer, lines])).not.toContain('bob@example.com')
  })
})

describe('a start that fails', () => {
  const settings = { group: defineSettings({ TEST_NEEDED: requiredText() }, values => values) }

  it('is told without names to a caller and with names in the log, and is tried again', async () => {
    const { main, lines } = define({ settings: settings as never, routes: { 'GET /': () => json(200, {}) } })
    const answer = await call(main, {})
    expect(answer).toMatchObject({ statusCode: 503, body: { code: 'settings-invalid' } })
    expect(JSON.stringify(answer)).not.toContain('TEST_NEEDED')
    expect(lines[0]).toMatchObject({ settings: ['TEST_NEEDED is missing'] })
    const later = await withEnvironment({ TEST_NEEDED: 'x' }, () => call(main, {}))
    expect(later.statusCode).toBe(200)
  })

  it('is none for a function that bears it, and is foretold all the same', async () => {
    const { main } = define({ settings: { group: settled(settings.group) } as never, routes: { 'GET /': () => json(200, {}) } })
    expect((await call(main, {})).statusCode).toBe(200)
    expect(main.settingIssues()).toEqual([{ variable: 'TEST_NEEDED', reason: 'is missing' }])
  })

  it('is foretold without a call, and no longer once the settings are right', async () => {
    let built = 0
    const { main } = define({ settings: settings as never, setup: () => ({ built: (built += 1) }) })
    const issues = () => withEnvironment({ LOG_LEVEL: 'shout' }, async () => main.settingIssues())
    expect((await issues()).map(({ variable }) => variable)).toEqual(['TEST_NEEDED', 'LOG_LEVEL'])
    expect(await withEnvironment({ TEST_NEEDED: 'x' }, async () => main.settingIssues())).toEqual([])
    expect(built).toBe(0)
  })
})

describe('a call without http', () => {
  it('reaches the handler for schedules and direct invocations', async () => {
    const { main } = define({ invoked: async input => ({ got: input.task }) })
    expect(await main({ task: 'sweep' })).toEqual({ got: 'sweep' })
  })

  it('is reported under `error` when it fails, so that the activation counts as failed', async () => {
    const { main } = define({
      invoked: async () => {
        throw new Error('secret "value"')
      },
    })
    expect(await main({})).toMatchObject({ error: { code: 'internal-error', status: 500 } })
  })

  it('is refused by a function for the web alone', async () => {
    const { main } = define({ routes: { 'GET /': () => json(200, {}) } })
    expect(await main({})).toMatchObject({ error: { code: 'not-invocable' } })
  })
})

it('builds its services once and again after a shutdown', async () => {
  let built = 0
  let ended = 0
  const { main } = define({
    setup: () => ({ number: (built += 1) }),
    shutdown: async () => void (ended += 1),
    routes: { 'GET /': () => json(200, {}) },
  })
  await Promise.all([call(main, {}), call(main, {})])
  expect(built).toBe(1)
  await main.shutdown()
  await main.shutdown()
  expect(ended).toBe(1)
  await call(main, {})
  expect(built).toBe(2)
})
