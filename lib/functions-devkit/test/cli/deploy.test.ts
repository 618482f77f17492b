import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findDoctl, requireConnection } from '../../src/cli/doctl/doctl.ts'
import { migrations } from '../application/lib/app/migrations/index.ts'
import { copyCheckout } from '../support/checkout.ts'
import { withDatabase } from '../support/database.ts'
import { answering, KNOWN, useDeployStage } from '../support/deploy-stage.ts'
import { type DoctlFaults } from '../support/doctl.ts'
import { exampleVariables } from '../support/environment-file.ts'

const stage = useDeployStage()
const { run, deployedBefore } = stage

describe('npm run deploy', () => {
  it('deploys ops/migrate, applies the migrations, then deploys everything', async () => {
    const { fine, found } = await run({ migrations: KNOWN })
    expect([fine, found]).toEqual([true, []])
    const changing = stage.doctl.calls().filter(call => / (deploy|invoke|undeploy) /.test(call))
    expect(changing).toEqual([
      'serverless deploy . --env .env --include ops/migrate',
      'serverless functions invoke ops/migrate --no-wait',
      'serverless deploy . --env .env',
    ])
    const { functions, triggers } = stage.doctl.read()
    expect(Object.keys(functions).sort()).toEqual(['api/health', 'api/user', 'api/webhook', 'ops/maintenance', 'ops/migrate'])
    expect(Object.keys(triggers)).toHaveLength(2)
    // A second deployment replaces everything.
    expect(await run({ migrations: KNOWN })).toMatchObject({ fine: true, found: [] })
  })

  it('skips the migrations when told to', async () => {
    expect(await run()).toMatchObject({ fine: true })
    expect(stage.doctl.calls().join('\n')).not.toContain('invoke')
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
    stage.doctl.setFaults({ ...faults, statusZero: true })
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
    stage.doctl.setFaults({ complains: true, statusZero })
    const { fine, text, found } = await run()
    expect([fine, found.length]).toEqual([false, 1])
    expect(found[0]).toMatch(/^different +doctl +ended with [01], although the platform is as project\.yml says/)
    expect(text).toContain('doctl: Error: While listing packages: 502 Bad Gateway')
  })

  it('names every function whose old bundle still serves', async () => {
    deployedBefore()
    stage.doctl.setFaults({ refuse: ['api/user', 'ops/maintenance'], statusZero: true })
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
    stage.doctl.write(platform)
    const { fine, found } = await run()
    expect([fine, found.length]).toEqual([false, 5])
    expect(found[0]).toContain('has the limit logs: 64, not 16\n           → write logs into its limits')
  })

  it('names what project.yml no longer has, and removes nothing', async () => {
    const platform = deployedBefore()
    const user = platform.functions['api/user']
    if (!user) throw new Error('api/user was not deployed')
    stage.doctl.write({
      functions: { ...platform.functions, 'api/old': { ...user, name: 'old' }, 'theirs/other': { ...user, namespace: 'fn-1/theirs', name: 'other' } },
      triggers: { ...platform.triggers, nightly: { ...platform.triggers['health-every-5-minutes'], name: 'nightly' } },
    })
    const { fine, found } = await run()
    expect(fine).toBe(false)
    expect(found.map(line => line.split('→ ')[1])).toEqual(['doctl serverless undeploy --triggers nightly', 'doctl serverless undeploy api/old'])
    expect(stage.doctl.calls().join('\n')).not.toContain('undeploy')
    // What it tells to do does it.
    for (const line of found) {
      const { status } = await findDoctl(stage.copy.root)(...(line.split('→ doctl ')[1] ?? '').split(' '))
      expect(status).toBe(0)
    }
    expect(await run()).toMatchObject({ fine: true })
  })

  it('shows the output of a build that failed', async () => {
    deployedBefore()
    stage.copy.write('broken', '')
    try {
      const { fine, text, found } = await run()
      expect(fine).toBe(false)
      expect(text).toMatch(/doctl: Output of failed build in .*\n {2}doctl: bundling\n {2}doctl: cannot bundle index\.ts:3\n/)
      expect(text).toContain("doctl: Error: './build.sh' exited with code 7")
      expect(found).toHaveLength(5)
    } finally {
      rmSync(join(stage.copy.root, 'broken'))
    }
  })

  it.each([false, true])('shows every failure of one deployment, output json: %s', async outputJson => {
    deployedBefore()
    stage.doctl.setFaults({ refuse: ['api/user', 'ops/maintenance'], refuseTriggers: ['health-every-5-minutes'], outputJson })
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
    stage.doctl.setFaults({ outputJson: true })
    expect(await run({ migrations: KNOWN })).toMatchObject({ fine: true, found: [] })
  })

  it.each([false, true])('reports the rest when triggers cannot be read, output json: %s', async outputJson => {
    stage.doctl.setFaults({ triggersUnreadable: true, public: ['ops/migrate'], outputJson })
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
    stage.doctl.setFaults({ unreadable: ['api/user'], public: ['ops/migrate'] })
    const { found } = await run()
    expect(found).toEqual([
      expect.stringMatching(/^different +ops\/migrate +has web: true/),
      expect.stringMatching(/^unknown +api\/user +could not be read: .*does not exist.*\n +→ .*functions get api\/user/),
    ])
  })

  it('reports the rest when functions cannot be listed afterwards', async () => {
    stage.doctl.setFaults({ public: ['ops/migrate'], unreadable: ['api/user'], dropTriggers: ['maintenance-every-minute'] })
    const real = findDoctl(stage.copy.root)
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
    stage.doctl.setFaults({ snap: true, loseVariables: ['PAYLOAD_KEY'] })
    const { found } = await run()
    expect(found).toEqual([
      expect.stringMatching(/^different +api\/webhook +lacks variables: PAYLOAD_KEY/),
      expect.stringMatching(/^different +ops\/maintenance +lacks variables: PAYLOAD_KEY/),
    ])
    expect(readdirSync(join(stage.copy.root, '.deployed'))).toEqual([])
  })

  it('takes variables of a package for those of its functions', async () => {
    const shared = stage.copy.text.replace('  - name: ops\n', '  - name: ops\n    environment: { SHARED: everywhere, LOG_LEVEL: debug }\n')
    stage.copy.write('project.yml', shared)
    expect(await run()).toMatchObject({ fine: true, found: [] })
    const platform = stage.doctl.read()
    stage.doctl.write({ ...platform, packages: { ...platform.packages, ops: { environment: {} } } })
    stage.copy.write('project.yml', shared.replace('everywhere', 'elsewhere'))
    stage.doctl.setFaults({ deployCrashes: true })
    expect((await run()).text).toMatch(/different +ops\/migrate +lacks variables: SHARED/)
  })

  it('takes variables of the project and of several packages for those of their functions', async () => {
    const shared = stage.copy.text
      .replace('packages:\n', 'environment: { EVERYWHERE: here }\npackages:\n')
      .replace('  - name: api\n', '  - name: api\n    environment: { OF_API: one, LOG_LEVEL: debug }\n')
      .replace('  - name: ops\n', '  - name: ops\n    environment: { OF_OPS: two, EVERYWHERE: there }\n')
    stage.copy.write('project.yml', shared)
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
    stage.copy.write('.env', `${readFileSync(join(stage.copy.root, '.env'), 'utf8')}\nWEBHOOK_SECRET_GITHUB="something new entirely"\n`)
    stage.doctl.setFaults({ refuse: ['api/webhook'] })
    const { text } = await run()
    expect(text).toContain('has other values of variables: WEBHOOK_SECRET_GITHUB')
    expect(text).not.toMatch(/tell # nobody|something new|PASSWORD@|HOST\.db/)
  })

  it.each<[string, DoctlFaults, RegExp]>([
    ['is not connected', { notConnected: true }, /^doctl is not connected to a namespace \(serverless support is installed but.*--access-key/],
    ['is not connected, with JSON errors', { notConnected: true, outputJson: true }, /\(serverless support is installed but.*--access-key/],
    ['has no API token', { noToken: true }, /access token is required.*doctl auth init/],
  ])('names the cure when doctl %s', async (_what, faults, expected) => {
    stage.doctl.setFaults(faults)
    await expect(requireConnection(findDoctl(stage.copy.root))).rejects.toThrow(expected)
  })

  it('names where to get doctl when it is missing', async () => {
    process.env.PATH = '/nonexistent'
    await expect(run()).rejects.toThrow('https://docs.digitalocean.com/reference/doctl/how-to/install/')
  })
})

const invocations = () => stage.doctl.calls().filter(call => call.includes(' invoke '))

describe('the migrations of a deploy', () => {
  it.each<[string, DoctlFaults, RegExp]>([
    ['was refused', { refuse: ['ops/migrate'], statusZero: true }, /^missing +ops\/migrate/],
    ['lost its environment', { loseEnvironment: ['ops/migrate'] }, /^different +ops\/migrate +lacks variables/],
  ])('stop before they are applied when ops/migrate %s', async (_what, faults, expected) => {
    stage.doctl.setFaults(faults)
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
    stage.copy.write('known', known)
    stage.doctl.setFaults(faults)
    const { fine, found } = await run({ migrations: KNOWN })
    expect([fine, found]).toEqual([false, [expect.stringMatching(expected)]])
    expect(invocations()).toEqual(['serverless functions invoke ops/migrate --no-wait'])
    expect(Object.keys(stage.doctl.read().functions).filter(name => name !== 'ops/migrate')).toEqual([])
  })

  it('say the same of a failure when doctl is configured for JSON', async () => {
    stage.copy.write('known', answering({ code: 'migration-failed' }))
    stage.doctl.setFaults({ outputJson: true, slow: ['ops/migrate'] })
    const { found } = await run({ migrations: KNOWN })
    expect(found).toEqual([expect.stringMatching(/^failed +ops\/migrate +failed: migration-failed/)])
  })

  it('show the stack of a crash from the log', async () => {
    stage.copy.write('known', '(() => { console.error(new TypeError("no such thing").stack); process.exit(1) })()')
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
    stage.copy.write('known', `(console.log(${JSON.stringify(JSON.stringify(line))}), 0), error: { code: "database-unavailable" }`)
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
    stage.doctl.setFaults({ slow: ['ops/migrate'] })
    const { fine } = await run({ migrations: KNOWN })
    expect([fine, invocations()]).toEqual([true, ['serverless functions invoke ops/migrate --no-wait']])
    expect(stage.doctl.calls().filter(call => call.includes('activations get'))).toHaveLength(3)
  })

  it('may break deployed functions only when allowed', async () => {
    await run({ migrations: KNOWN, allowBreaking: true })
    expect(stage.doctl.calls()).toContain('serverless functions invoke ops/migrate --no-wait --param allowBreaking:true')
  })
})

describe('the command', () => {
  it('deploys and verifies', { timeout: 120_000 }, async () => {
    await withDatabase(
      async database => {
        const checkout = copyCheckout(['lib', 'packages', 'build.sh', 'project.yml', 'package.json', 'package-lock.json', 'tsconfig.json'])
        try {
          const values = {
            ...exampleVariables(readFileSync(join(checkout.folder, 'project.yml'), 'utf8')),
            DB_CONNECTION_URL: `${database.url}?sslmode=require`,
            API_KEYS: `shop/users:read/${'ab'.repeat(32)}`,
            WEBHOOK_SECRET_GITHUB: 'a secret of 30 characters here'.replaceAll(' ', '-'),
          }
          checkout.write('.env', JSON.stringify(values))
          const command = (...words: string[]) =>
            spawnSync(process.execPath, [join(checkout.folder, 'lib/functions-devkit/src/cli/deploy.ts'), ...words], {
              cwd: checkout.folder,
              encoding: 'utf8',
              env: { PATH: stage.doctl.environment.PATH, DOCTL_STATE: stage.doctl.environment.DOCTL_STATE, HOME: process.env.HOME ?? '/' },
            })
          const { status, stdout, stderr } = command()
          expect([status, stdout]).toEqual([0, expect.stringContaining('warn  rights')])
          expect(stderr).toMatch(/^asking doctl for its connection\n(checking: .*\n)+applying the migrations [^]*\ndoctl builds and uploads/)
          expect(stdout.match(/^ {2}applied /gm)).toHaveLength(migrations.length)
          expect(stdout).toContain('Deployed and verified against project.yml')
          expect(stdout).not.toContain(values.WEBHOOK_SECRET_GITHUB)
          expect(await database.query('SELECT count(*)::int AS applied FROM schema_migrations')).toEqual([{ applied: migrations.length }])

          const before = stage.doctl.calls().length
          expect(command('--env', 'other.env')).toMatchObject({
            status: 1,
            stdout: expect.stringMatching(/fail .*there is no other\.env[^]*Nothing was deployed/) as unknown,
          })
          expect(stage.doctl.calls().slice(before)).toEqual(['serverless status'])
          expect(command('--force')).toMatchObject({ status: 2, stderr: expect.stringContaining('usage: npm run deploy') as unknown })
        } finally {
          checkout.remove()
        }
      },
      { empty: true },
    )
  })
})
