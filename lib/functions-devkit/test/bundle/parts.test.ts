import { execFile } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { stageFunction } from '../../src/server/stage.ts'
import { builtApplication } from '../support/built-application.ts'
import { webhookSecret } from '../support/functions.ts'
import { webEvent } from '../support/platform/events.ts'
import { completedTransaction, signedHeaders } from '../support/webhooks.ts'

// Calls a function as it is deployed, and tells which files of it were read.
const PROGRAM = `
  const { main } = require(process.argv[2])
  const read = () => Object.keys(require.cache).map(path => require('node:path').basename(path))
  const loaded = read()
  main(JSON.parse(process.argv[3])).then(({ statusCode }) => {
    require('node:fs').writeSync(3, JSON.stringify({ loaded, statusCode, read: read() }))
    process.exit()
  })`

let folder: string
let entry: string
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'parts-')))
  entry = stageFunction({ functionFolder: join(await builtApplication(), 'packages/api/webhook'), stageFolder: join(folder, 'webhook') })
  writeFileSync(join(folder, 'call.cjs'), PROGRAM)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function deliver(headers: Record<string, string>, body: string) {
  const event = JSON.stringify(webEvent({ method: 'POST', path: '/demo', headers, body }, 'raw'))
  // Nobody listens on port 1: what gets as far as the database asks for it in vain.
  const env = {
    DB_CONNECTION_URL: 'postgresql://app:secret@127.0.0.1:1/app',
    WEBHOOK_SECRET_DEMO: webhookSecret,
    __OW_DEADLINE: String(Date.now() + 2_500),
  }
  const answer = await promisify(execFile)('bash', ['-c', '"$@" 3>&1 >/dev/null', '-', process.execPath, join(folder, 'call.cjs'), entry, event], {
    env,
  })
  return JSON.parse(answer.stdout) as { loaded: string[]; statusCode: number; read: string[] }
}

it('reads nothing but the bundle to refuse a bad signature', async () => {
  const body = completedTransaction()
  const outcome = await deliver(signedHeaders(body), `${body} `)
  expect(outcome).toEqual({ statusCode: 401, loaded: ['call.cjs', 'index.js'], read: ['call.cjs', 'index.js'] })
})

it('reads sequelize and pg on the first use of the database, and nothing that a statement without a date does not need', async () => {
  const body = completedTransaction()
  const outcome = await deliver(signedHeaders(body), body)
  expect(outcome).toMatchObject({ statusCode: 503, loaded: ['call.cjs', 'index.js'] })
  expect(outcome.read.toSorted()).toEqual(['call.cjs', 'index.js', 'pg.js', 'sequelize.js'])
})
