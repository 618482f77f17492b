import { spawnSync } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { deploy, type DeployOptions } from '../../src/cli/deploy/deploy.ts'
import { findDoctl, requireConnection } from '../../src/cli/doctl/doctl.ts'
import { parseProject, readEnvironmentFile } from '../../../doctl-project-schema/src/index.ts'
import { migrations } from '../application/lib/app/migrations/index.ts'
import { copyCheckout } from '../support/checkout.ts'
import { withDatabase } from '../support/database.ts'
import { createDoctl, type DoctlFaults } from '../support/doctl.ts'
import { copyProject } from '../support/project-copy.ts'
import { REPOSITORY } from '../support/tested-application.ts'

// Our own project with bundles of one line: what is under test is how they are deployed.
const BUILD = `#!/bin/bash
set -e
[ ! -e ../broken ] || { echo 'bundling'; echo 'cannot bundle index.ts:3' >&2; exit 7; }
for folder in ../packages/*/*/; do
  mkdir -p "$folder/dist"
  while read -r line; do
    case "$line" in dist/*) echo "exports.main = async input => ({ applied: [], alreadyApplied: $(cat ../known), input })" > "$folder/$line" ;; esac
  done < "$folder/.include"
done
`
const KNOWN = 8
const readme = readFileSync(join(REPOSITORY, 'README.md'), 'utf8')

let copy: ReturnType<typeof copyProject>
let doctl: ReturnType<typeof createDoctl>
const outside = { ...process.env }

beforeAll(() => {
  copy = copyProject()
  copy.write('lib/build.sh', BUILD)
  chmodSync(join(copy.root, 'lib/build.sh'), 0o755)
})
beforeAll(async () => {
  useFresh()
  await run()
  deployed = doctl.read()
  end()
})
afterAll(() => copy[Symbol.dispose]())

function useFresh(): void {
  copy.write('project.yml', copy.text)
  copy.write(
    '.env',
    readFileSync(join(REPOSITORY, '.env.example'), 'utf8').replace('WEBHOOK_SECRET_GITHUB=none', 'WEBHOOK_SECRET_GITHUB="tell # nobody"'),
  )
  copy.write('known', String(KNOWN))
  doctl = createDoctl()
  Object.assign(process.env, doctl.environment)
}
function end(): void {
  Object.assign(process.env, outside)
  doctl[Symbol.dispose]()
}
beforeEach(useFresh)
afterEach(end)

let deployed: ReturnType<typeof doctl.read> | undefined

// One deployment serves every test that begins after one.
function deployedBefore() {
  if (deployed === undefined) throw new Error('nothing was deployed')
  doctl.write(deployed)
  return structuredClone(deployed)
}

async function run(options: Partial<DeployOptions> = {}) {
  const lines: string[] = []
  const project = parseProject(
    readFileSync(join(copy.root, 'project.yml'), 'utf8'),
    readEnvironmentFile(readFileSync(join(copy.root, '.env'), 'utf8')),
  )
  const defaults = { doctl: findDoctl(copy.root), checkout: copy.root, project, environmentFile: '.env', migrations: undefined, allowBreaking: false }
  const fine = await deploy({ ...defaults, print: line => lines.push(line), sleep: async () => undefined, ...options })
  return { fine, text: lines.join('\n'), found: lines.filter(line => /^(missing|different|left-over|unknown|failed) /.test(line)) }
}

describe('npm run deploy', () => {
  it('deploys ops/migrate, applies the migrations, then deploys everything', async () => {
    const { fine, found } = await run({ migrations: KNOWN })
    expect([fine, found]).toEqual([true, []])
    const changing = doctl.calls().filter(call => / (deploy|invoke|undeploy) /.test(call))
    expect(changing).toEqual([
      'serverless deploy . --env .env --include ops/migrate',
      'serverless functions invoke ops/migrate --no-wait',
      'serverless deploy . --env .env',
    ])
    const { functions, triggers } = doctl.read()
    expect(Object.keys(functions).sort()).toEqual(['api/health', 'api/user', 'api/webhook', 'ops/maintenance', 'ops/migrate'])
    expect(Object.keys(triggers)).toHaveLength(2)
    // A second deployment replaces everything.
    expect(await run({ migrations: KNOWN })).toMatchObject({ fine: true, found: [] })
  })

  it('skips the migrations when told to', async () => {
    expect(await run()).toMatchObject({ fine: true })
    expect(doctl.calls().join('\n')).not.toContain('invoke')
  })

  it.each<[string, DoctlFaults, string[]]>([
    [
      'missing, public, limited, dropped or off',
      {
        refuse: ['api/user'],
        loseEnvironment: ['api/health'],
        wrongKind: ['api/webhook'],
        public: ['ops/migrate'],
        keepLimits: ['ops/maintenance'],
        dropTriggers: ['maintenance-every-minute'],
        disable: ['health-every-5-minutes'],
      },
      [
        'different api/webhook runs on nodejs:14, not on nodejs:24',
        'missing api/user is not on the platform',
        'different api/health lacks variables: DB_CONNECTION_URL, DB_HOST, …',
        'different ops/migrate has web: true, not false',
        'different ops/maintenance has the limit timeout: 3000, not 60000',
        'different health-every-5-minutes the schedule is off, not on',
        'missing maintenance-every-minute the schedule of ops/maintenance is not on the platform',
      ],
    ],
    [
      'a lost variable, a private webhook, altered schedules',
      {
        loseVariables: ['PAYLOAD_KEY'],
        notWeb: ['api/webhook'],
        refuseTriggers: ['maintenance-every-minute'],
        otherCron: ['health-every-5-minutes'],
      },
      [
        'different api/webhook has web: false, not raw',
        'different api/webhook lacks variables: PAYLOAD_KEY',
        'different ops/maintenance lacks variables: PAYLOAD_KEY',
        'different health-every-5-minutes the schedule fires at 0 0 * * *, not at */5 * * * *',
        'missing maintenance-every-minute the schedule of ops/maintenance is not on the platform',
      ],
    ],
    [
      'skipped schedules',
      { skipTriggers: true },
      [
        'missing health-every-5-minutes the schedule of api/health is not on the platform',
        'missing maintenance-every-minute the schedule of ops/maintenance is not on the platform',
      ],
    ],
    [
      'a deployer without network',
      { deployCrashes: true },
      [
        ...['api/webhook', 'api/user', 'api/health', 'ops/migrate', 'ops/maintenance'].map(name => `missing ${name} is not on the platform`),
        'missing health-every-5-minutes the schedule of api/health is not on the platform',
        'missing maintenance-every-minute the schedule of ops/maintenance is not on the platform',
      ],
    ],
  ])('names what differs after doctl ended with 0: %s', async (_what, faults, expected) => {
    doctl.setFaults({ ...faults, statusZero: true })
    const { fine, found } = await run()
    expect(fine).toBe(false)
    const told = found.map(line =>
      line
        .replace(/ {2,}/g, ' ')
        .replace(/\n.*$/s, '')
        .replace(/(DB_HOST, ).*/, '$1…'),
    )
    expect(told).toEqual(expected)
  })

  it.each([true, false])('fails while doctl reports errors, status 0: %s', async statusZero => {
    doctl.setFaults({ complains: true, statusZero })
    const { fine, text, found } = await run()
    expect([fine, found.length]).toEqual([false, 1])
    expect(found[0]).toMatch(/^different +doctl +ended with [01], although the platform is as project\.yml says/)
    expect(text).toContain('doctl: Error: While listing packages: 502 Bad Gateway')
  })

  it('names every function whose old bundle still serves', async () => {
    deployedBefore()
    doctl.setFaults({ refuse: ['api/user', 'ops/maintenance'], statusZero: true })
    const { fine, found } = await run()
    expect(fine).toBe(false)
    expect(found.map(line => line.split('\n')[0])).toEqual([
      expect.stringMatching(/^different +api\/user +was not deployed: the earlier version 0\.0\.1 still serves/),
      expect.stringMatching(/^different +ops\/maintenance +was not deployed/),
    ])
  })

  it('names limits that the platform kept from before', async () => {
    const platform = deployedBefore()
    for (const one of Object.values(platform.functions)) one.limits.logs = 64
    doctl.write(platform)
    const { fine, found } = await run()
    expect([fine, found.length]).toEqual([false, 5])
    expect(found[0]).toContain('has the limit logs: 64, not 16\n           → write logs into its limits')
  })

  it('names what project.yml no longer has, and removes nothing', async () => {
    const platform = deployedBefore()
    const user = platform.functions['api/user']
    if (!user) throw new Error('api/user was not deployed')
    doctl.write({
      functions: { ...platform.functions, 'api/old': { ...user, name: 'old' }, 'theirs/other': { ...user, namespace: 'fn-1/theirs', name: 'other' } },
      triggers: { ...platform.triggers, nightly: { ...platform.triggers['health-every-5-minutes'], name: 'nightly' } },
    })
    const { fine, found } = await run()
    expect(fine).toBe(false)
    expect(found.map(line => line.split('→ ')[1])).toEqual(['doctl serverless undeploy --triggers nightly', 'doctl serverless undeploy api/old'])
    expect(doctl.calls().join('\n')).not.toContain('undeploy')
    // What it tells to do does it.
    for (const line of found) {
      const { status } = await findDoctl(copy.root)(...(line.split('→ doctl ')[1] ?? '').split(' '))
      expect(status).toBe(0)
    }
    expect(await run()).toMatchObject({ fine: true })
  })

  it('shows the output of a build that failed', async () => {
    deployedBefore()
    copy.write('broken', '')
    try {
      const { fine, text, found } = await run()
      expect(fine).toBe(false)
      expect(text).toMatch(/doctl: Output of failed build in .*\n {2}doctl: bundling\n {2}doctl: cannot bundle index\.ts:3\n/)
      expect(text).toContain("doctl: Error: './build.sh' exited with code 7")
      expect(found).toHaveLength(5)
    } finally {
      rmSync(join(copy.root, 'broken'))
    }
  })

  it.each([false, true])('shows every failure of one deployment, output json: %s', async outputJson => {
    deployedBefore()
    doctl.setFaults({ refuse: ['api/user', 'ops/maintenance'], refuseTriggers: ['health-every-5-minutes'], outputJson })
    const { text, found } = await run()
    expect(text.match(/^ {2}doctl: .*$/gm)).toEqual(
      [
        "  doctl: Error: While deploying trigger 'health-every-5-minutes': 429 Too Many Requests",
        "  doctl: Error: While deploying action 'api/user': 413 Request Entity Too Large",
        "  doctl: Error: While deploying action 'ops/maintenance': 413 Request Entity Too Large",
      ].toSorted((one, other) => text.indexOf(one) - text.indexOf(other)),
    )
    expect(found).toHaveLength(3)
  })

  it('verifies a deployment whose doctl is configured for JSON', async () => {
    doctl.setFaults({ outputJson: true })
    expect(await run({ migrations: KNOWN })).toMatchObject({ fine: true, found: [] })
  })

  it.each([false, true])('reports the rest when triggers cannot be read, output json: %s', async outputJson => {
    doctl.setFaults({ triggersUnreadable: true, public: ['ops/migrate'], outputJson })
    const { fine, found } = await run()
    expect(fine).toBe(false)
    expect(found).toEqual([
      expect.stringMatching(/^different +ops\/migrate +has web: true, not false/),
      expect.stringMatching(
        /^unknown +schedules +could not be read: .*triggers list .*403 .*not authorized.*\n +→ doctl auth init with an API token/,
      ),
    ])
  })

  it('reports the rest when one function cannot be read', async () => {
    doctl.setFaults({ unreadable: ['api/user'], public: ['ops/migrate'] })
    const { found } = await run()
    expect(found).toEqual([
      expect.stringMatching(/^different +ops\/migrate +has web: true/),
      expect.stringMatching(/^unknown +api\/user +could not be read: .*does not exist.*\n +→ .*functions get api\/user/),
    ])
  })

  it('reports the rest when functions cannot be listed afterwards', async () => {
    doctl.setFaults({ public: ['ops/migrate'], unreadable: ['api/user'], dropTriggers: ['maintenance-every-minute'] })
    const real = findDoctl(copy.root)
    let lists = 0
    const { fine, found } = await run({
      doctl: async (...words) => {
        if (words.join(' ').includes('functions list') && ++lists > 1) return { status: 1, stdout: '', stderr: 'Error: 502 Bad Gateway' }
        return real(...words)
      },
    })
    expect(fine).toBe(false)
    expect(found).toEqual([
      expect.stringMatching(/^different +ops\/migrate +has web: true, not false/),
      expect.stringMatching(/^missing +maintenance-every-minute/),
      expect.stringMatching(/^unknown +functions +could not be read: .*502 Bad Gateway\n +→ look again with doctl serverless functions list/),
      expect.stringMatching(/^unknown +api\/user +could not be read/),
    ])
  })

  it('reads variables back from a doctl with its own temporary folder', async () => {
    doctl.setFaults({ snap: true, loseVariables: ['PAYLOAD_KEY'] })
    const { found } = await run()
    expect(found).toEqual([
      expect.stringMatching(/^different +api\/webhook +lacks variables: PAYLOAD_KEY/),
      expect.stringMatching(/^different +ops\/maintenance +lacks variables: PAYLOAD_KEY/),
    ])
    expect(readdirSync(join(copy.root, '.deployed'))).toEqual([])
  })

  it('takes variables of a package for those of its functions', async () => {
    const shared = copy.text.replace('  - name: ops\n', '  - name: ops\n    environment: { SHARED: everywhere, LOG_LEVEL: debug }\n')
    copy.write('project.yml', shared)
    expect(await run()).toMatchObject({ fine: true, found: [] })
    const platform = doctl.read()
    doctl.write({ ...platform, packages: { ...platform.packages, ops: { environment: {} } } })
    copy.write('project.yml', shared.replace('everywhere', 'elsewhere'))
    doctl.setFaults({ deployCrashes: true })
    expect((await run()).text).toMatch(/different +ops\/migrate +lacks variables: SHARED/)
  })

  it('takes variables of the project and of several packages for those of their functions', async () => {
    const shared = copy.text
      .replace('packages:\n', 'environment: { EVERYWHERE: here }\npackages:\n')
      .replace('  - name: api\n', '  - name: api\n    environment: { OF_API: one, LOG_LEVEL: debug }\n')
      .replace('  - name: ops\n', '  - name: ops\n    environment: { OF_OPS: two, EVERYWHERE: there }\n')
    copy.write('project.yml', shared)
    const reads = new Map([
      ['api/user', ['EVERYWHERE', 'OF_API', 'OF_OPS']],
      ['ops/migrate', ['EVERYWHERE', 'OF_API', 'OF_OPS']],
    ])
    const { found } = await run({ reads })
    expect(found.map(line => line.split('\n')[0])).toEqual([
      expect.stringMatching(/^different +api\/user +reads variables that project\.yml does not pass to it: OF_OPS$/),
      expect.stringMatching(/^different +ops\/migrate +reads variables that project\.yml does not pass to it: OF_API$/),
    ])
  })

  it('names variables that a function reads and project.yml drops', async () => {
    const reads = new Map([['api/user', ['API_KEYS', 'GREETING']]])
    const { found } = await run({ reads })
    expect(found).toEqual([
      expect.stringMatching(
        /^different +api\/user +reads variables that project\.yml does not pass to it: GREETING\n +→ add them to its environment/,
      ),
    ])
  })

  it('shows no value of any variable', async () => {
    deployedBefore()
    copy.write('.env', `${readFileSync(join(copy.root, '.env'), 'utf8')}\nWEBHOOK_SECRET_GITHUB="something new entirely"\n`)
    doctl.setFaults({ refuse: ['api/webhook'] })
    const { text } = await run()
    expect(text).toContain('has other values of variables: WEBHOOK_SECRET_GITHUB')
    expect(text).not.toMatch(/tell # nobody|something new|PASSWORD@|HOST\.db/)
  })

  it.each<[string, DoctlFaults, RegExp]>([
    ['is not connected', { notConnected: true }, /^doctl is not connected to a namespace \(serverless support is installed but.*--access-key/],
    ['is not connected, with JSON errors', { notConnected: true, outputJson: true }, /\(serverless support is installed but.*--access-key/],
    ['has no API token', { noToken: true }, /access token is required.*doctl auth init/],
  ])('names the cure when doctl %s', async (_what, faults, expected) => {
    doctl.setFaults(faults)
    await expect(requireConnection(findDoctl(copy.root))).rejects.toThrow(expected)
  })

  it('names where to get doctl when it is missing', async () => {
    process.env.PATH = '/nonexistent'
    await expect(run()).rejects.toThrow('https://docs.digitalocean.com/reference/doctl/how-to/install/')
  })
})

const answering = (error: object) => `0, error: ${JSON.stringify(error)}`
const invocations = () => doctl.calls().filter(call => call.includes(' invoke '))

describe('the migrations of a deploy', () => {
  it.each<[string, DoctlFaults, RegExp]>([
    ['was refused', { refuse: ['ops/migrate'], statusZero: true }, /^missing +ops\/migrate/],
    ['lost its environment', { loseEnvironment: ['ops/migrate'] }, /^different +ops\/migrate +lacks variables/],
  ])('stop before they are applied when ops/migrate %s', async (_what, faults, expected) => {
    doctl.setFaults(faults)
    const { fine, found } = await run({ migrations: KNOWN })
    expect([fine, found, invocations()]).toEqual([false, [expect.stringMatching(expected)], []])
  })

  it.each<[string, DoctlFaults, string, RegExp]>([
    ['an older bundle', {}, String(KNOWN - 1), /^different +ops\/migrate +has 7 migrations, and this checkout has 8: an older bundle answers/],
    [
      'a breaking migration',
      {},
      answering({ code: 'migration-breaking', detail: 'Nothing was applied.' }),
      /^failed +ops\/migrate +failed: migration-breaking: Nothing was applied\.\n +→ npm run deploy -- --allow-breaking/,
    ],
    [
      'a migration that fails',
      {},
      answering({ code: 'migration-failed', detail: 'The migration 2026-12-01-greetings failed.' }),
      /^failed .*migration-failed: The migration 2026-12-01-greetings failed\.\n +→ correct the migration, npm run migrate -- check/,
    ],
    [
      'a database that refuses the address of functions',
      {},
      answering({ code: 'database-unavailable', detail: 'The database cannot be reached.' }),
      /^failed .*database-unavailable: .*\n +→ the database’s trusted sources must admit functions, which have no fixed address/,
    ],
    ['a full server', {}, answering({ code: 'database-busy' }), /^failed .*database-busy\n +→ the server has no free connection/],
    ['a pooler', {}, answering({ code: 'pooler-refused' }), /^failed .*pooler-refused\n +→ DB_MIGRATION_URL/],
    ['wrong settings', {}, answering({ code: 'settings-invalid' }), /^failed .*settings-invalid\n +→ npm run doctor/],
    ['its own deadline', {}, answering({ code: 'deadline-exceeded' }), /^failed .*deadline-exceeded\n +→ raise the timeout of ops\/migrate/],
    [
      'the time limit of the platform',
      { timesOut: ['ops/migrate'] },
      String(KNOWN),
      /^failed .*exceeded its time limits of 60000 milliseconds\.\n +→ raise the timeout of ops\/migrate/,
    ],
    ['a thrown error', {}, '(() => { throw new Error("thrown") })()', /^failed +ops\/migrate +crashed: thrown/],
    ['an answer in an unknown form', {}, '"none"', /^failed +ops\/migrate +answers in an unknown form/],
    [
      'too many calls',
      { throttled: ['ops/migrate'] },
      String(KNOWN),
      /^failed +ops\/migrate +was not called: Too many requests.*\n +→ wait a minute/,
    ],
    ['an unavailable platform', { unavailable: ['ops/migrate'] }, String(KNOWN), /^failed .*was not called: .*status code 503/],
    [
      'an end that cannot be read',
      { unreadable: ['activations'] },
      String(KNOWN),
      /^failed .*has no readable record .*\n +→ doctl serverless activations get/,
    ],
    [
      'a call that never ends',
      { neverEnds: ['ops/migrate'] },
      String(KNOWN),
      /^failed .*has not ended within 120 s\n +→ doctl serverless activations get/,
    ],
  ])('stop after one call and keep the old functions: %s', { timeout: 60_000 }, async (_what, faults, known, expected) => {
    copy.write('known', known)
    doctl.setFaults(faults)
    const { fine, found } = await run({ migrations: KNOWN })
    expect([fine, found]).toEqual([false, [expect.stringMatching(expected)]])
    expect(invocations()).toEqual(['serverless functions invoke ops/migrate --no-wait'])
    expect(Object.keys(doctl.read().functions).filter(name => name !== 'ops/migrate')).toEqual([])
  })

  it('say the same of a failure when doctl is configured for JSON', async () => {
    copy.write('known', answering({ code: 'migration-failed' }))
    doctl.setFaults({ outputJson: true, slow: ['ops/migrate'] })
    const { found } = await run({ migrations: KNOWN })
    expect(found).toEqual([expect.stringMatching(/^failed +ops\/migrate +failed: migration-failed/)])
  })

  it('show the stack of a crash from the log', async () => {
    copy.write('known', '(() => { console.error(new TypeError("no such thing").stack); process.exit(1) })()')
    const { text } = await run({ migrations: KNOWN })
    expect(text).toMatch(/crashed: The action did not produce a valid response and exited unexpectedly\.\n +→ its log follows/)
    expect(text).toMatch(/^ {2}log: TypeError: no such thing\n {2}log: +at .*index\.js/m)
  })

  it('show logged errors with their causes, and the settings', async () => {
    const line = {
      level: 'error',
      function: 'ops/migrate',
      event: 'invocation.failed',
      settings: ['DB_HOST is missing'],
      error: { type: 'Error', code: 'one', message: 'first', stack: ['at a (b.js:1)'], cause: { type: 'Error', code: '28P01' } },
    }
    copy.write('known', `(console.log(${JSON.stringify(JSON.stringify(line))}), 0), error: { code: "database-unavailable" }`)
    const { text } = await run({ migrations: KNOWN })
    expect(text).toContain('→ correct user, password and database name in .env')
    expect(text.match(/^ {2}log: .*$/gm)).toEqual([
      '  log: DB_HOST is missing',
      '  log: Error (one): first',
      '  log:     at a (b.js:1)',
      '  log: caused by Error (28P01)',
    ])
  })

  it('are waited for, with one call, when they take long', async () => {
    doctl.setFaults({ slow: ['ops/migrate'] })
    const { fine } = await run({ migrations: KNOWN })
    expect([fine, invocations()]).toEqual([true, ['serverless functions invoke ops/migrate --no-wait']])
    expect(doctl.calls().filter(call => call.includes('activations get'))).toHaveLength(3)
  })

  it('may break deployed functions only when allowed', async () => {
    await run({ migrations: KNOWN, allowBreaking: true })
    expect(doctl.calls()).toContain('serverless functions invoke ops/migrate --no-wait --param allowBreaking:true')
  })
})

describe('the table of the README', () => {
  const [, table = ''] = /^## Deploy$.*?\n\| it prints \|.*?\n\|[ -|]+\n(.*?)\n\n/ms.exec(readme) ?? []
  const rows = table.split('\n').map(row => row.split('|').map(cell => cell.trim()))
  const failing = (error: object) => () => copy.write('known', answering(error))

  /** How each row comes about, by its first cell. */
  const PROVOKED: Readonly<Record<string, () => unknown>> = {
    'failed ops/migrate failed: database-unavailable': failing({ code: 'database-unavailable' }),
    'failed ops/migrate failed: migration-breaking': failing({ code: 'migration-breaking' }),
    'failed ops/migrate failed: migration-failed': failing({ code: 'migration-failed' }),
    'failed ops/migrate failed: deadline-exceeded': failing({ code: 'deadline-exceeded' }),
    'failed ops/migrate crashed': () => copy.write('known', 'process.exit(1)'),
    'failed ops/migrate was not called': () => doctl.setFaults({ throttled: ['ops/migrate'] }),
    'doctl: Output of failed build': () => copy.write('broken', ''),
    'missing … is not on the platform': () => doctl.setFaults({ refuse: ['api/user'] }),
    'missing … the schedule': () => doctl.setFaults({ skipTriggers: true }),
    'different … was not deployed': () => (deployedBefore(), doctl.setFaults({ refuse: ['api/user'] })),
    'different … lacks variables': () => doctl.setFaults({ loseVariables: ['API_KEYS'] }),
    'different … reads variables that project.yml does not pass': () => undefined,
    'left-over … still answers': () => leave('functions'),
    'left-over … the schedule still invokes': () => leave('triggers'),
    'unknown … could not be read': () => doctl.setFaults({ triggersUnreadable: true }),
  }
  const leave = (kind: 'functions' | 'triggers') => {
    const platform = deployedBefore()
    const { 'api/user': user } = platform.functions
    const { 'health-every-5-minutes': health } = platform.triggers
    if (kind === 'functions' && user) platform.functions['api/old'] = { ...user, name: 'old' }
    if (kind === 'triggers' && health) platform.triggers['old'] = { ...health, name: 'old' }
    doctl.write(platform)
  }
  /** What stands between backticks in a cell. */
  const quoted = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text)

  afterEach(() => rmSync(join(copy.root, 'broken'), { force: true }))

  it('has a row for each outcome that is provoked here', () => {
    expect(rows.map(([, first]) => quoted(first)[0])).toEqual(Object.keys(PROVOKED))
  })

  it.each(rows)('%s%s is printed with its cure', async (_start, first, _because, cure) => {
    const [printed = ''] = quoted(first)
    PROVOKED[printed]?.()
    const reads = printed.includes('reads variables') ? new Map([['api/user', ['FRESH']]]) : new Map<string, string[]>()
    const { fine, text } = await run({ reads, migrations: printed.includes('ops/migrate') ? KNOWN : undefined })
    expect(fine).toBe(false)
    const lines = text.replaceAll(/ {2,}/g, ' ')
    expect(lines).toMatch(new RegExp(printed.replaceAll('.', String.raw`\.`).replaceAll(' … ', '.* ')))
    const commands = quoted(cure).filter(words => /^(npm run (?!build)|doctl )/.test(words))
    for (const words of commands) expect(text).toContain(words)
  })
})

describe('the command', () => {
  it('deploys and verifies, and every doctl command of the README works', { timeout: 120_000 }, async () => {
    await withDatabase(
      async database => {
        const checkout = copyCheckout(['lib', 'packages', 'build.sh', 'project.yml', 'package.json', 'package-lock.json', 'tsconfig.json'])
        try {
          const values = {
            ...readEnvironmentFile(readFileSync(join(REPOSITORY, '.env.example'), 'utf8')),
            DB_CONNECTION_URL: `${database.url}?sslmode=require`,
            API_KEYS: `shop/users:read/${'ab'.repeat(32)}`,
            WEBHOOK_SECRET_GITHUB: 'a secret of 30 characters here'.replaceAll(' ', '-'),
          }
          checkout.write('.env', JSON.stringify(values))
          const command = (...words: string[]) =>
            spawnSync(process.execPath, [join(checkout.folder, 'lib/functions-devkit/src/cli/deploy.ts'), ...words], {
              encoding: 'utf8',
              env: { PATH: doctl.environment.PATH, DOCTL_STATE: doctl.environment.DOCTL_STATE, HOME: process.env.HOME ?? '/' },
            })
          const { status, stdout, stderr } = command()
          expect([status, stderr, stdout]).toEqual([0, '', expect.stringContaining('warn  rights')])
          expect(stdout.match(/^ {2}applied /gm)).toHaveLength(migrations.length)
          expect(stdout).toContain('Deployed and verified against project.yml')
          expect(stdout).not.toContain(values.WEBHOOK_SECRET_GITHUB)
          expect(await database.query('SELECT count(*)::int AS applied FROM schema_migrations')).toEqual([{ applied: migrations.length }])

          const blocks = [...readme.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) => block).filter(block => /^(ID=\$\()?doctl /m.test(block))
          expect(blocks.length).toBeGreaterThan(2)
          for (const block of blocks) {
            const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', block], {
              cwd: checkout.folder,
              encoding: 'utf8',
              // bash takes a socket on its standard input for a login over the network.
              stdio: ['ignore', 'pipe', 'pipe'],
              env: { ...process.env, FUNCTIONS_ACCESS_KEY: 'dof_v1_id:secret' },
            })
            const shown = /"success": true/.test(stdout)
            expect([block, status, stderr, shown]).toEqual([block, 0, '', block.includes('--no-wait')])
          }

          const before = doctl.calls().length
          expect(command('--env', 'other.env')).toMatchObject({
            status: 1,
            stdout: expect.stringMatching(/fail .*there is no other\.env[^]*Nothing was deployed/) as unknown,
          })
          expect(doctl.calls().slice(before)).toEqual(['serverless status'])
          expect(command('--force')).toMatchObject({ status: 2, stderr: expect.stringContaining('usage: npm run deploy') as unknown })
        } finally {
          checkout.remove()
        }
      },
      { empty: true },
    )
  })
})
