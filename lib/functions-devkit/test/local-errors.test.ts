import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type FullError } from '../src/server/errors/full-error.ts'
import { stageFunction } from '../src/server/stage.ts'
import { readForCheckout } from './support/tested-application.ts'
import { addressOf, useNpmStart, type Server } from './support/npm-start.ts'

const stage = useNpmStart()
const USERS = 'lib/app/users.ts'
// What goes wrong is chosen by the name of the user.
const MISTAKES = `
async function goWrong(name: string, database: DatabaseService): Promise<void> {
  const run = (text: string, bind = {}) => database.execute('user.mistake', ({ query }) => query(text, bind))
  if (name === 'typo') await run('SELECT nme FROM users WHERE email = $email', { email: 'ann@example.com' })
  if (name === 'constraint') await run("INSERT INTO users (id, email, created_at, updated_at) VALUES ($id, 'x', now(), now())", { id: randomUUID() })
  if (name === 'type-error') (undefined as unknown as { ann: () => void }).ann()
  if (name === 'cause') throw new Error('outside', { cause: new RangeError('inside') })
  if (name === 'aggregate') throw new AggregateError([new Error('first of them'), new RangeError('second of them')], 'several went wrong')
  if (name === 'rejected') void Promise.reject(new Error('rejected outside of the call'))
}
`
const lineOf = (text: string, part: string) => text.split('\n').findIndex(line => line.includes(part)) + 1

async function launch(): Promise<{ server: Server; source: string }> {
  const source = readForCheckout(USERS)
    .toString()
    .replace('  const id = randomUUID()\n', '  await goWrong(name, database)\n  const id = randomUUID()\n')
    .concat(MISTAKES)
  stage.write(USERS, source)
  return { server: await stage.launchAndWait(), source }
}

async function create(server: Server, name: string): Promise<Response> {
  const { apiKey } = JSON.parse(readFileSync(join(stage.data, 'secrets.json'), 'utf8')) as { apiKey: string }
  return fetch(`${addressOf(server)}/user`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'bob@example.com', name }),
  })
}

/** The error in the last line of the log about a call that failed. */
async function loggedError(server: Server, name: string): Promise<{ error: FullError; detail: string }> {
  const from = server.output().length
  const response = await create(server, name)
  expect(response.status).toBe(500)
  await server.shows('"event":"invocation.failed"', from)
  const line = server
    .output()
    .slice(from)
    .split('\n')
    .find(one => one.includes('"event":"invocation.failed"'))
  return { error: (JSON.parse(line ?? '') as { error: FullError }).error, detail: ((await response.json()) as { detail: string }).detail }
}

describe('on the own machine an error', () => {
  it('has message, statement, values, what the server says, and the own line', async () => {
    const { server, source } = await launch()
    const at = (part: string) => `${USERS}:${lineOf(source, part)}`

    const typo = await loggedError(server, 'typo')
    expect(typo.error).toMatchObject({
      type: 'SequelizeDatabaseError',
      code: '42703',
      message: 'column "nme" does not exist',
      sql: 'SELECT nme FROM users WHERE email = $1',
      values: ["$1 = 'ann@example.com'"],
      hint: expect.stringContaining('users.name') as string,
      source: at('const run ='),
    })
    expect(typo.error.stack?.some(frame => frame.includes(`${join(stage.checkout, USERS)}:${lineOf(source, "name === 'typo'")}:`))).toBe(true)
    expect(typo.detail).toBe('SequelizeDatabaseError: column "nme" does not exist')

    const { error: constraint } = await loggedError(server, 'constraint')
    expect(constraint).toMatchObject({
      code: '23514',
      table: 'users',
      constraint: 'users_email_check',
      detail: expect.stringMatching(/^Failing row contains \(.*, x, /) as string,
    })

    const { error: mistake, detail } = await loggedError(server, 'type-error')
    expect(mistake).toMatchObject({ type: 'TypeError', source: at("name === 'type-error'") })
    expect(detail).toBe("TypeError: Cannot read properties of undefined (reading 'ann')")

    expect((await loggedError(server, 'cause')).error).toMatchObject({ message: 'outside', cause: { type: 'RangeError', message: 'inside' } })
    expect((await loggedError(server, 'aggregate')).error).toMatchObject({
      type: 'AggregateError',
      errors: [{ message: 'first of them' }, { type: 'RangeError', message: 'second of them' }],
    })

    const from = server.output().length
    await create(server, 'rejected')
    await server.shows('rejected outside of the call', from)
    expect(server.output().slice(from)).toContain(at("name === 'rejected'"))
  })

  it('is redacted by what is deployed, whatever the environment says', () => {
    const program = `
      const { main } = require(process.argv[1])
      main({ http: { method: 'GET', path: '', headers: {}, queryString: '', body: '' } }).then(answer => console.log(JSON.stringify(answer)))`
    const code =
      "import { defineFunction } from '../../../lib/functions-runtime/src/edge/define.ts'\n" +
      "export const main = defineFunction({ name: 'api/health', settings: {}, setup: () => ({}), routes: { 'GET /': () => { throw new Error('for \"ann\"') } } })"
    stage.write('packages/api/health/index.ts', `${code}\n`)
    execFileSync(join(stage.checkout, 'build.sh'), { cwd: stage.checkout, stdio: 'ignore' })
    const functionFolder = join(stage.checkout, 'packages/api/health')
    const entry = stageFunction({ functionFolder, stageFolder: join(stage.data, 'deployed') })
    const variables = { NODE_ENV: 'development', LOG_LEVEL: 'trace', NODE_OPTIONS: '--enable-source-maps', DEBUG: '*' }
    const output = execFileSync(process.execPath, ['--input-type=commonjs', '-e', program, entry], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, ...variables },
    })
    expect(output).toContain('"event":"invocation.failed"')
    expect(output).not.toContain('ann')
    expect(readFileSync(entry, 'utf8')).not.toContain('sourceMappingURL')
    stage.restore('packages/api/health/index.ts')
  })
})
