import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { terminateSessions } from '../support/adoption/application.ts'
import { startChild, type Child } from '../support/adoption/child.ts'
import { consumer, CONSUMER_TIMEOUT_MS } from '../support/adoption/consumer.ts'
import { NODE_24 } from '../support/adoption/nodes.ts'
import { textTable } from '../support/adoption/text-table.ts'
import { ADOPTION_TIMES } from '../support/adoption/times.ts'
import { withDatabase, type TestDatabase } from '../../lib/functions-devkit/test/support/database.ts'

const CALLERS = 25
const LOAD_MS = 2_500 * ADOPTION_TIMES
const STRIKE_EVERY_MS = 150
const CALLS = 6 * ADOPTION_TIMES
const TEST_TIMEOUT_MS = 60_000 * ADOPTION_TIMES
const UNDECIDED = ['commit-unknown', 'result-lost']

let folder: string
const lines: (string | number)[][] = []

beforeAll(async () => void ({ folder } = await consumer()), CONSUMER_TIMEOUT_MS)
afterAll(() =>
  console.log(textTable(['program', 'calls', 'right', 'coded errors', 'uncoded errors', 'rows missing', 'rows too many', 'codes'], lines)),
)

describe('a server with 25 connections', { timeout: TEST_TIMEOUT_MS }, () => {
  it('answers right or with a code while its connections end', async () => {
    await inChild({ file: 'http-server.cjs' }, async (child, database) => {
      const url = `http://127.0.0.1:${(await child.order('begin')) as number}`
      const answers: Answer[] = []
      const until = performance.now() + LOAD_MS
      const caller = async (index: number) => {
        for (let time = 0; performance.now() < until; time += 1) answers.push(await ask(url, `${index}-${time}`, time))
      }
      const strike = async () => {
        for (let time = 0; performance.now() < until; time += 1) {
          await sleep(STRIKE_EVERY_MS)
          if (time % 3 === 0) await child.order(time % 2 === 0 ? 'close' : 'closeManager')
          else await terminateSessions(database)
        }
      }
      await Promise.all([...Array.from({ length: CALLERS }, (_, index) => caller(index)), strike()])
      for (let time = 0; time < 4; time += 1) expect(await ask(url, `after-${time}`, time)).toMatchObject({ outcome: 'right' })

      const rows = await database.query<{ key: string; count: number }>('SELECT key, count(*)::int AS count FROM notes GROUP BY 1')
      const counts = new Map(rows.map(({ key, count }) => [key, count]))
      const writes = answers.filter(({ wrote }) => wrote)
      const isUndecided = ({ code }: Answer) => UNDECIDED.includes(code ?? '')
      const missing = writes.filter(({ outcome, key }) => outcome === 'right' && counts.get(key) !== 2)
      const tooMany = writes.filter(answer => {
        const count = counts.get(answer.key) ?? 0
        return answer.outcome !== 'right' && count > 0 && !(isUndecided(answer) && count === 2)
      })
      const uncoded = answers.filter(({ outcome }) => outcome === 'uncoded')
      note('HTTP server', answers, missing.length, tooMany.length)
      expect({ uncoded, missing, tooMany }).toEqual({ uncoded: [], missing: [], tooMany: [] })
      expect(answers.filter(({ outcome }) => outcome === 'right').length).toBeGreaterThan(CALLERS)
    })
  })
})

describe('a handler of Lambda', { timeout: TEST_TIMEOUT_MS }, () => {
  it.each([
    ['that follows the recipe of Sequelize', 'recipe'],
    ['that keeps its connections', 'keep'],
  ])('%s answers each call right after pauses', async (_what, kind) => {
    const answers = await runHandler(kind, 'ours')
    expect(answers.filter(({ outcome }) => outcome !== 'right')).toEqual([])
  })

  it('fails after pauses with stock Sequelize that keeps its connections', async () => {
    const answers = await runHandler('keep', 'stock')
    expect(answers.filter(({ outcome }) => outcome !== 'right').length).toBeGreaterThan(0)
  })
})

interface Answer {
  readonly key: string
  readonly outcome: 'right' | 'coded' | 'uncoded'
  readonly code?: string
  readonly message?: string
  readonly wrote: boolean
}

/** One request: each path in turn, and after each write a read of what it wrote. */
async function ask(url: string, key: string, time: number): Promise<Answer> {
  const path = ['transaction', 'unit', 'bulk', 'notes'][time % 4] ?? 'notes'
  const wrote = path !== 'notes'
  const response = await fetch(`${url}/${path}/${key}`, { method: wrote ? 'POST' : 'GET' })
  const body = (await response.json()) as { code?: unknown; message?: string; key?: string; parts?: number[] }
  if (response.ok) return { key, outcome: wrote ? (body.key === key ? 'right' : 'uncoded') : body.parts?.length === 0 ? 'right' : 'uncoded', wrote }
  const told = { key, wrote, ...(body.message !== undefined && { message: body.message }) }
  return typeof body.code === 'string' ? { ...told, outcome: 'coded', code: body.code } : { ...told, outcome: 'uncoded' }
}

/** Calls a handler, with its process paused and its sessions terminated between the calls. */
async function runHandler(kind: string, name: 'ours' | 'stock'): Promise<Answer[]> {
  return inChild({ file: 'lambda.cjs', args: [kind, name] }, async (child, database) => {
    await child.order('begin')
    const answers: Answer[] = []
    for (let time = 0; time < CALLS; time += 1) {
      const key = `call-${time}`
      child.process.kill('SIGSTOP')
      // The call is there before the end of the sessions is: a resumed process reads it first.
      const answer = child.order('call', { key }).then(
        (found): Answer => ({ key, outcome: found === 1 ? 'right' : 'uncoded', wrote: true }),
        (error: Error): Answer => ({ key, outcome: 'uncoded', message: error.message, wrote: true }),
      )
      await sleep(50)
      await terminateSessions(database)
      child.process.kill('SIGCONT')
      answers.push(await answer)
    }
    note(`Lambda, ${kind}, ${name}`, answers)
    return answers
  })
}

function note(program: string, answers: readonly Answer[], missing: number | string = '–', tooMany: number | string = '–'): void {
  const of = (wanted: Answer['outcome']) => answers.filter(({ outcome }) => outcome === wanted).length
  const codes = [...new Set(answers.flatMap(({ code }) => (code === undefined ? [] : [code])))].sort()
  lines.push([program, answers.length, of('right'), of('coded'), of('uncoded'), missing, tooMany, codes.join(', ') || '–'])
}

/** Runs a program of the consumer's folder with a database of its own. */
async function inChild<Result>(
  { file, args = [] }: { file: string; args?: readonly string[] },
  work: (child: Child, database: TestDatabase) => Promise<Result>,
): Promise<Result> {
  return withDatabase(
    async database => {
      const child = startChild({ file: join(folder, file), args, env: { DATABASE_URL: database.url }, node: NODE_24 })
      try {
        return await work(child, database)
      } finally {
        await child.end()
      }
    },
    { empty: true },
  )
}
