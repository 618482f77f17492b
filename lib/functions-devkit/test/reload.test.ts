import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { addressOf, useNpmStart } from './support/npm-start.ts'

// Saves of one function while callers poll; `npm run test:full` sets more.
const SAVES = Number(process.env.SAVES ?? 8)
const CALLERS = 3
// Long enough for a file that is still being written to be seen so.
const FILLER = `const filler = ${JSON.stringify('x'.repeat(300_000))}\n`

const stage = useNpmStart()

/** A function that tells its version at both ends of its bundle. */
const versioned = (version: number) => `const head = ${version}\n${FILLER}
export const main = async () => ({ body: { head, filler: filler.length, tail } })\nconst tail = ${version}\n`

it('serves whole versions alone while callers poll and files are saved', async () => {
  stage.writeHealth(versioned(0))
  const server = await stage.launchAndWait()
  const seen = new Set<number>()
  const broken: unknown[] = []
  let stopped = false
  const poll = async () => {
    while (!stopped) {
      const answer = await fetch(`${addressOf(server)}/health`)
      const text = await answer.text()
      const { head, filler, tail } = JSON.parse(text) as Record<string, number>
      if (answer.status !== 200 || head === undefined || head !== tail || filler !== 300_000) broken.push([answer.status, text.slice(0, 200)])
      else seen.add(head)
    }
  }
  const callers = Array.from({ length: CALLERS }, poll)
  try {
    for (let version = 1; version <= SAVES; version += 1) {
      stage.writeHealth(versioned(version))
      while (!seen.has(version) && broken.length === 0) await sleep(10)
    }
  } finally {
    stopped = true
    await Promise.all(callers)
    stage.restoreHealth()
  }
  expect(broken).toEqual([])
  expect(server.output().match(/^rebuilt api\/health in \d+\.\d s$/gm)).toHaveLength(SAVES)
  // What is deployed is built by `npm run build` alone.
  expect(existsSync(join(stage.checkout, 'packages/api/user/dist'))).toBe(false)
})

it('names a mistake once, serves the version before, and says when it is mended', async () => {
  const server = await stage.launchAndWait()
  const health = async () => (await fetch(`${addressOf(server)}/health`)).status
  expect(await health()).toBe(200)
  stage.writeHealth('export const main = async () => ({ statusCode: 203 )')
  await server.shows('api/health: serving the version before')
  for (let call = 0; call < 5; call += 1) expect(await health()).toBe(200)
  expect(server.output()).toMatch(/packages\/api\/health\/index\.ts:1:\d+/)
  expect(server.output().match(/serving the version before/g)).toHaveLength(1)
  stage.restoreHealth()
  await server.shows(/^rebuilt api\/health in/m)
  expect(await health()).toBe(200)
})

it('prints type errors beside the server, and that they are gone', async () => {
  const { compilerOptions } = JSON.parse(readFileSync(join(import.meta.dirname, '../../../tsconfig.json'), 'utf8')) as { compilerOptions: object }
  stage.write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['lib/app/types-of-the-test.ts'] }))
  stage.write('lib/app/types-of-the-test.ts', 'export const one: number = 1\nexport const two: number = 2\n')
  const server = await stage.launchAndWait({ checkTypes: true })
  // Written when the first round is over.
  while (!existsSync(join(stage.data, 'types/types.tsbuildinfo'))) await sleep(50)
  stage.write('lib/app/types-of-the-test.ts', "export const one: number = 1\nexport const two: number = 'two'\n")
  await server.shows(/^lib\/app\/types-of-the-test\.ts:2: error TS2322: /m)
  stage.write('lib/app/types-of-the-test.ts', 'export const one: number = 1\nexport const two: number = 3\n')
  await server.shows(/^types: no errors$/m)
  expect(server.output().match(/^types: no errors$/gm)).toHaveLength(1)
})
