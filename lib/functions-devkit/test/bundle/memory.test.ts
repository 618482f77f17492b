import { execFile } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { stageFunction } from '../../src/server/stage.ts'
import { builtApplication } from '../support/built-application.ts'
import { withDatabase } from '../support/database.ts'
import { apiKey, environmentFor } from '../support/functions.ts'
import { webEvent } from '../support/platform/events.ts'

// Calls a function as it is deployed, and tells after how many calls how many bytes no collection could free.
const PROGRAM = `
  const { main } = require(process.argv[2])
  const events = JSON.parse(process.argv[3])
  const retained = async () => {
    // What is freed in turns, as by finalizers, needs more than one.
    for (let turn = 0; turn < 3; turn += 1) await new Promise(resolve => setImmediate(() => resolve(gc())))
    return process.memoryUsage().heapUsed + process.memoryUsage().external
  }
  const seen = {}
  const statuses = new Set()
  ;(async () => {
    for (let call = 1; call <= ${2_000}; call += 1) {
      statuses.add((await main(events[call % events.length], { deadline: Date.now() + 10_000 })).statusCode)
      if (call === 200 || call === 2_000) seen[call] = await retained()
    }
    require('node:fs').writeSync(3, JSON.stringify({ seen, statuses: [...statuses].sort() }))
    process.exit()
  })()`

// What 1,800 calls may leave behind: V8's own notes about code that has become hot take three quarters of a megabyte, more
// on a quicker machine. A kilobyte for each call would come on top, and be too much.
const MOST_BYTES = 1_400_000

let folder: string
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'memory-')))
  writeFileSync(join(folder, 'call.cjs'), PROGRAM)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('api/user keeps nothing of its calls', async () => {
  const entry = stageFunction({ functionFolder: join(await builtApplication(), 'packages/api/user'), stageFolder: join(folder, 'user') })
  const headers = { authorization: `Bearer ${apiKey}` }
  const events = ['/', '/0198c0de-0000-7000-8000-00000000dead', '/nobody/else'].map(path => webEvent({ method: 'GET', path, headers }, 'raw'))
  await withDatabase(async database => {
    const call = [process.execPath, '--expose-gc', join(folder, 'call.cjs'), entry, JSON.stringify(events)]
    const { stdout } = await promisify(execFile)('bash', ['-c', '"$@" 3>&1 >/dev/null', '-', ...call], { env: environmentFor(database) })
    const { seen, statuses } = JSON.parse(stdout) as { seen: Record<'200' | '2000', number>; statuses: number[] }
    expect(statuses).toEqual([200, 404])
    expect(seen[2000] - seen[200]).toBeLessThan(MOST_BYTES)
  })
})
