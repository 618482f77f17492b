import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import pg from 'pg'
import { expect } from 'vitest'
import { checklist } from '../../src/cli/smoke/checklist.ts'
import { runChecks } from '../../src/cli/smoke/run.ts'
import { localHealthKey } from '../../src/server/local-health-key.ts'
import { keepSecrets } from '../../src/server/secrets.ts'
import { environmentOf } from './checkout.ts'
import { addressOf, type Server } from './npm-start.ts'

export interface Exchange {
  readonly method: string
  readonly path: string
  status: number
  headers: Record<string, string>
  body: string
  /** How many requests of the same method and path came before. */
  readonly before: number
  /** Whether it came with a key. */
  readonly authorized: boolean
}

/** A deployment that is well but for what `alter` makes of its answers. */
async function behind(server: Server, alter: (exchange: Exchange) => void, work: (url: string) => Promise<void>): Promise<void> {
  const seen = new Map<string, number>()
  const proxy = createServer((request, response) => {
    const answer = async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const { method = '', url: path = '' } = request
      const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !['host', 'connection', 'content-length'].includes(name)))
      const sent = await fetch(`${addressOf(server)}${path}`, {
        method,
        headers: headers as Record<string, string>,
        ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
      })
      const kind = `${method} ${path}`
      const before = seen.get(kind) ?? 0
      seen.set(kind, before + 1)
      const type = sent.headers.get('content-type') ?? 'text/plain'
      const authorized = request.headers.authorization !== undefined
      const exchange: Exchange = { method, path, status: sent.status, headers: { 'content-type': type }, body: await sent.text(), before, authorized }
      alter(exchange)
      response.writeHead(exchange.status, exchange.headers).end(exchange.body)
    }
    answer().catch(() => response.destroy())
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  try {
    await work(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`)
  } finally {
    proxy.closeAllConnections()
    proxy.close()
  }
}

export interface SmokeOptions {
  /** The folder of the local data. */
  readonly data: string
  /** Gets the line that asks for Enter. */
  readonly enter?: (asked: string) => Promise<void>
}

/** Runs the command as `npm run smoke` does; `enter` runs before Enter is pressed. */
export async function smokeFrom(checkout: string, args: readonly string[], { data, enter = () => Promise.resolve() }: SmokeOptions) {
  const child = spawn('node', ['lib/functions-devkit/src/cli/smoke.ts', ...args], {
    cwd: checkout,
    env: { PATH: environmentOf(checkout).PATH, LOCAL_DATA_FOLDER: data },
    stdio: 'pipe',
  })
  let output = ''
  let asked = 0
  const listen = (text: string) => {
    output += text
    const questions = output.split('Then press Enter.').slice(0, -1)
    for (const question of questions.slice(asked)) void enter(question.trim().split('\n').at(-1) ?? '').then(() => child.stdin.write('\n'))
    asked = questions.length
  }
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', listen)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}

/** Reads from the database of a server. */
export async function rowsOf(server: Server, statement: string): Promise<unknown[]> {
  const connectionString = /postgres:\/\/\S+/.exec(server.output())?.[0]
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    return (await client.query<object>(statement)).rows
  } finally {
    await client.end()
  }
}

/** Changes fields of an answer. */
export const edit = (exchange: Exchange, changes: Record<string, unknown>) => {
  exchange.body = JSON.stringify({ ...(JSON.parse(exchange.body) as object), ...changes })
}

/** By the check that has to notice: what is wrong with the deployment, and what the check says. */
export type Wrong = readonly [check: string, alter: (exchange: Exchange) => void, detail: RegExp, outcome?: 'warn']

/** Expects that each fault is noticed by its check, and by no other. */
export async function expectNoticed(server: Server, data: string, wrong: readonly Wrong[]): Promise<void> {
  const { webhookSecret, apiKey } = keepSecrets(data)
  for (const [index, [name, alter, detail, outcome = 'fail']] of wrong.entries()) {
    await behind(server, alter, async url => {
      const target = { url, webhookSecret, apiKey, healthKey: localHealthKey(webhookSecret) }
      const results = await runChecks(checklist(target, `wrong-${index}`), () => undefined)
      expect(results.filter(result => result.outcome !== 'ok')).toEqual([{ name, outcome, detail: expect.stringMatching(detail) as string }])
    })
  }
}
