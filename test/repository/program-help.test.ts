import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const GUARD = pathToFileURL(join(ROOT, 'lib/functions-devkit/test/support/nothing-else.mjs')).href
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }

/** Programs that are no commands of functions-devkit, and what their usage calls them. */
const PROGRAMS: readonly (readonly [path: string, name: string])[] = [
  ...globSync('test/bench/*/main.ts', { cwd: ROOT }).map(path => [path, scriptOf(path)] as const),
  ['lib/functions-devkit/test/support/oldest-postgres.ts', 'npm run test:oldest'],
  ['lib/postgres-faults/bin/prove.mjs', 'npm run prove'],
  ['.config/release.ts', 'node .config/release.ts'],
]

/** The script that starts a program, and nothing before it. */
function scriptOf(path: string): string {
  const [name] = Object.entries(scripts).find(([, script]) => script === `exec node ${path}`) ?? []
  return `npm run ${name ?? `(none starts ${path})`}`
}

describe.each(PROGRAMS)('%s', (path, name) => {
  it.each([[['--help']], [['surplus', '--no-such-option', '-h']]])('prints its usage and does nothing for %j', words => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', GUARD, path, ...words], { cwd: ROOT, encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^usage: /)
    expect(stdout.split('\n')[0]).toMatch(new RegExp(`${name}(?![:\\w])`))
  })
})

it('there are three benches', () => {
  expect(globSync('test/bench/*/main.ts', { cwd: ROOT })).toHaveLength(3)
})
