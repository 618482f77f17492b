import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copyDatabase } from '../../lib/postgres-faults/src/test-database.ts'
import { startApplication, type Application, type Outcome } from '../support/adoption/application.ts'
import { consumer, CONSUMER_TIMEOUT_MS } from '../support/adoption/consumer.ts'
import { NODE_20, NODE_24 } from '../support/adoption/nodes.ts'
import { startOwnServer, type OwnServer } from '../support/adoption/own-server.ts'
import { textTable } from '../support/adoption/text-table.ts'
import { ADOPTION_TIMES } from '../support/adoption/times.ts'
import { EMPTY_TEMPLATE } from '../../lib/functions-devkit/test/support/templates.ts'

const LONGEST_CALL_MS = 20_000
const CALLERS = 4
const LOAD_MS = 1_500
const TERMINATE_EVERY_MS = 60
const RESTART_AFTER_MS = 400
const TEST_TIMEOUT_MS = 60_000 * ADOPTION_TIMES
// A quiet fault shows in each of a few tries.
const TRIES = 3 * ADOPTION_TIMES

type Way = 'ours, Node 20' | 'ours, Node 24' | 'stock, Node 24'
const WAYS: readonly { way: Way; name: 'ours' | 'stock'; node: string | undefined }[] = [
  { way: 'ours, Node 20', name: 'ours', node: NODE_20 },
  { way: 'ours, Node 24', name: 'ours', node: NODE_24 },
  { way: 'stock, Node 24', name: 'stock', node: NODE_24 },
]

let folder: string
let changedLines: number
let server: OwnServer
const lines: (readonly (string | number)[])[] = []
const errorLines: string[] = []

beforeAll(async () => {
  ;[{ folder }, server] = await Promise.all([consumer(), startOwnServer()])
  changedLines = await adopt(join(folder, 'ours/db.js'))
  if (NODE_20 === undefined) console.error('SKIPPED: the ordinary application under Node 20, for the node on PATH is another')
}, CONSUMER_TIMEOUT_MS)

afterAll(async () => {
  await server?.remove()
  const headings = [
    'fault',
    'application',
    'calls',
    'right',
    'coded errors',
    'uncoded errors',
    'rows missing',
    'rows too many',
    'undecided',
    'slowest ms',
  ]
  console.log(`${textTable(headings, [...lines].sort(inOrder))}\n${errorLines.sort().join('\n')}`)
})

describe('the ordinary application', { timeout: TEST_TIMEOUT_MS }, () => {
  it('changes at most two lines of db.js', () => {
    expect(changedLines).toBeGreaterThan(0)
    expect(changedLines).toBeLessThanOrEqual(2)
  })

  it('never notices sessions that are terminated while idle', async () => {
    const outcomes = await runAll('terminated while idle', async applications => {
      for (let time = 0; time < TRIES * 3; time += 1) await each(applications, terminateBetweenCalls)
    })
    expectSound(outcomes)
    for (const ours of oursOf(outcomes)) expect(ours.right).toBe(ours.calls)
  })

  it('survives sessions that are terminated under load', async () => {
    const outcomes = await runAll('terminated under load', async applications => {
      const load = each(applications, ({ child }) => child.order('load', { ms: LOAD_MS * ADOPTION_TIMES, callers: CALLERS }))
      let isLoaded = true
      const terminated = each(applications, async application => {
        while (isLoaded) {
          await application.terminate()
          await sleep(TERMINATE_EVERY_MS)
        }
      })
      await load.finally(() => (isLoaded = false))
      await terminated
    })
    expectSound(outcomes)
  })

  it('never notices a pool that is closed', async () => {
    const outcomes = await runAll('closed', async applications => {
      await each(applications, async ({ child }) => {
        await child.order('calls', { times: 10 })
        for (let time = 0; time < TRIES; time += 1) {
          await child.order('close', { manager: false })
          await child.order('close', { manager: true })
        }
      })
    })
    expectSound(outcomes)
    for (const ours of oursOf(outcomes)) expect(ours.right).toBe(ours.calls)
    // Stock Sequelize refuses all calls that follow its close().
    expect(outcomes.get('stock, Node 24')?.uncoded).toBeGreaterThan(10)
  })

  it('survives restarts of the server', async () => {
    const outcomes = await runAll('server restarted', async applications => {
      for (let time = 0; time < ADOPTION_TIMES; time += 1)
        for (const mode of ['fast', 'immediate'] as const) {
          const load = each(applications, ({ child }) => child.order('load', { ms: LOAD_MS, callers: CALLERS }))
          await sleep(RESTART_AFTER_MS)
          await server.postgres.stop(mode)
          await server.postgres.start()
          await load
        }
    })
    expectSound(outcomes)
  })

  it('never notices that its process was paused', async () => {
    const outcomes = await runAll('paused', async applications => {
      for (let time = 0; time < TRIES * 2; time += 1) await each(applications, pauseBeforeCalls)
    })
    expectSound(outcomes)
    for (const ours of oursOf(outcomes)) expect(ours.right).toBe(ours.calls)
    expect(outcomes.get('stock, Node 24')?.right).toBeLessThan(outcomes.get('stock, Node 24')?.calls ?? 0)
  })
})

/** Puts a fault on each application in a database of its own, and notes a line for each. */
async function runAll(fault: string, strike: (applications: readonly Application[]) => Promise<void>): Promise<Map<Way, Outcome>> {
  const started: { way: Way; application: Application }[] = []
  const databases = []
  const outcomes = new Map<Way, Outcome>()
  try {
    for (const { way, name, node } of WAYS) {
      if (node === undefined) continue
      const { host, port, user, password } = server.postgres
      const database = await copyDatabase({ host, port, user, password, authority: '' }, EMPTY_TEMPLATE)
      databases.push(database)
      started.push({ way, application: await startApplication({ folder, name, node, database }) })
    }
    await strike(started.map(({ application }) => application))
    for (const { way, application } of started) outcomes.set(way, await application.outcome())
  } finally {
    for (const { application } of started) await application.child.end()
    for (const database of databases) await database.drop()
  }
  for (const [way, outcome] of outcomes) {
    const { calls, right, coded, uncoded, missing, tooMany, undecided, slowestMs, errors } = outcome
    lines.push([fault, way, calls, right, coded, uncoded, missing, tooMany, undecided, slowestMs])
    for (const [text, count] of errors) errorLines.push(`${fault}, ${way}: ${count} × ${text}`)
  }
  return outcomes
}

async function terminateBetweenCalls(application: Application): Promise<void> {
  await application.terminate()
  await application.child.order('calls', { times: 5 })
}

async function pauseBeforeCalls(application: Application): Promise<void> {
  const { child } = application
  child.process.kill('SIGSTOP')
  // The order is there before the end of the sessions is: a resumed process reads it first.
  const calls = child.order('calls', { times: 5 })
  calls.catch(() => undefined)
  await sleep(50)
  await application.terminate()
  child.process.kill('SIGCONT')
  await calls
}

async function each(applications: readonly Application[], act: (application: Application) => Promise<unknown>): Promise<void> {
  await Promise.all(applications.map(act))
}

/** What holds for every fault: each call ends in time, right or with a code, and the rows are those of the calls. */
function expectSound(outcomes: ReadonlyMap<Way, Outcome>): void {
  for (const { recovered, uncoded, missing, tooMany, slowestMs } of oursOf(outcomes)) {
    expect({ recovered, uncoded, missing, tooMany }).toEqual({ recovered: true, uncoded: 0, missing: 0, tooMany: 0 })
    expect(slowestMs).toBeLessThan(LONGEST_CALL_MS)
  }
}

function oursOf(outcomes: ReadonlyMap<Way, Outcome>): Outcome[] {
  return [...outcomes].filter(([way]) => way.startsWith('ours')).map(([, outcome]) => outcome)
}

function inOrder(one: readonly (string | number)[], other: readonly (string | number)[]): number {
  return `${one[0]} ${one[1]}`.localeCompare(`${other[0]} ${other[1]}`)
}

/** Changes the import of db.js and returns how many lines differ from the original. */
async function adopt(file: string): Promise<number> {
  const original = await readFile(file, 'utf8')
  const adopted = original.replace("{ Sequelize } = require('sequelize')", "{ ResilientSequelize: Sequelize } = require('resilient-sequelize')")
  await writeFile(file, adopted)
  const before = original.split('\n')
  return adopted.split('\n').filter((line, index) => line !== before[index]).length
}
