import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const textOf = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const readme = textOf('README.md')
const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> }

/** What functions-devkit starts, by name. */
const { COMMANDS } = (await import(join(ROOT, 'lib/functions-devkit/src/cli/commands.mjs'))) as {
  COMMANDS: Readonly<Record<string, { readonly program: string }>>
}

/** Every command of the README: the lines of its blocks, and what stands between backticks. */
const commands = [
  ...new Set(
    [
      ...[...readme.matchAll(/^ *```sh\n(.*?)^ *```/gms)].flatMap(([, block = '']) => block.split('\n')),
      ...[...readme.matchAll(/`((?:npm|doctl|curl|openssl|grep) [^`]+)`/g)].map(([, command = '']) => command),
    ]
      .map(line => line.trim())
      .filter(line => line !== '' && !line.startsWith('#') && !/^[A-Z_]+=\S*$/.test(line)),
  ),
]

/** Tests that run what is no script of ours, and a piece of them that says so. */
const ELSEWHERE: readonly [command: RegExp, test: string, piece: string][] = [
  [/^npm run remove-sample$/, 'lib/functions-devkit/src/cli/options/remove-sample.ts', 'usage: npm run remove-sample'],
  [/^npm install && npm start$/, 'lib/functions-devkit/test/support/npm-start.ts', 'scripts.start'],
  [/^npm start( -- --no-schedules)?$/, 'lib/functions-devkit/test/schedules.test.ts', '--no-schedules'],
  [/^npm start -- --no-types$/, 'lib/functions-devkit/test/support/npm-start.ts', '--no-types'],
  [/^npm start -- --inspect api\/user$/, 'lib/functions-devkit/test/inspect.test.ts', '--inspect health'],
  [/^npm run prove$/, 'lib/postgres-faults/test/prove/program.test.ts', 'bin/prove.mjs'],
  [/^npm start -- --no-redis$/, 'lib/functions-devkit/test/start.test.ts', '--no-redis'],
  [/^(ID=\$\()?doctl (serverless |auth init$)/, 'test/repository/deploy.test.ts', 'README.md'],
  [/^curl .*\/__schedule\//, 'lib/functions-devkit/test/schedules.test.ts', '/__schedule/health-every-5-minutes'],
  [/^curl .*\/orders(?:[ ?]|\/openapi\.json$)/, 'test/repository/adding-things.test.ts', '/orders'],
  [/^curl .*\/health\/database"$/, 'lib/functions-ops/test/health/function.test.ts', '/database'],
  [/^curl .*\/health\/metrics"$/, 'lib/functions-ops/test/health/metrics.test.ts', '/metrics'],
  [/^pg_dump |^pg_restore |npm run migrate -- up$/, 'test/support/disaster.ts', 'When the database is lost'],
  [/grep "Database connection( retry)?"/, 'lib/functions-runtime/test/logs.test.ts', 'Database connection'],
]
// Run by hand, since they take long or measure; what they are made of is tested.
const BY_HAND = /^npm (?:test|run (?:test:app|test:chaos|test:full|test:oldest|bench|bench:fleet|bench:webhooks))$/

/** What keeps a command from being one that is there and run by a test. */
function problemOf(command: string): string | undefined {
  if (BY_HAND.test(command)) return command.replace(/^npm (run )?/, '') in scripts ? undefined : 'is no script'
  const elsewhere = ELSEWHERE.find(([pattern]) => pattern.test(command))
  if (elsewhere !== undefined) return textOf(elsewhere[1]).includes(elsewhere[2]) ? undefined : `is not in ${elsewhere[1]}`
  if (command.startsWith('openssl ')) return spawnSync('bash', ['-c', command]).status === 0 ? undefined : 'does not work'
  const [, name = ''] = /^npm run ([\w:]+)/.exec(command) ?? []
  const [, started = ''] = /functions-devkit\.mjs ([\w-]+)$/.exec(scripts[name] ?? '') ?? []
  const { [started]: starts } = COMMANDS
  if (starts === undefined) return 'is no script'
  const script = `src/${starts.program}.ts`
  const running = globSync(['{test,lib/*/test}/**/*.test.ts', 'lib/functions-devkit/test/support/*.ts'], { cwd: ROOT }).filter(path =>
    textOf(path).includes(script),
  )
  return running.length > 0 ? undefined : `starts ${script}, which no test runs`
}

describe('a command of the README', () => {
  it.each(commands)('%s is there, and run by a test', command => {
    expect(problemOf(command)).toBeUndefined()
  })

  it.each(['npm run bench:nothing', 'npm run nothing', 'doctl account get', 'curl http://a'])('%s would be missed', command => {
    expect(problemOf(command)).toBeDefined()
  })
})

describe('doctl serverless connect', () => {
  it('has an access key wherever it is written', () => {
    const files = globSync(['README.md', '.env.example', '.github/workflows/*.yml', 'lib/**/*.{ts,sh,md}', 'packages/**/*.ts'], { cwd: ROOT })
    const places = files.flatMap(file => textOf(file).match(/doctl serverless connect.*/g) ?? [])
    expect(places.length).toBeGreaterThan(2)
    expect(places.filter(place => !/^doctl serverless connect \S+ --access-key/.test(place))).toEqual([])
  })
})
