import { spawnSync } from 'node:child_process'
import { chmodSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { deploy, type DeployOptions } from '../../../lib/cli/deploy/deploy.ts'
import { findDoctl, requireConnection } from '../../../lib/cli/deploy/doctl.ts'
import { parseProject, readEnvironmentFile } from '../../../lib/doctl-project-schema/src/index.ts'
import { migrations } from '../../../lib/app/migrations/index.ts'
import { copyCheckout } from '../../support/checkout.ts'
import { withDatabase } from '../../support/database.ts'
import { createDoctl, type DoctlFaults } from '../../support/doctl.ts'
import { copyProject, ROOT } from '../../support/project-copy.ts'

// Our own project with bundles that weigh nothing: what is under test is what becomes of them.
const BUILD = `#!/bin/bash
set -e
[ ! -e ../broken ] || { echo 'cannot bundle' >&2; exit 7; }
for folder in ../packages/*/*/; do
  mkdir -p "$folder/dist"
  while read -r line; do
    case "$line" in dist/*) echo "exports.main = async input => ({ applied: [], alreadyApplied: $(cat ../known), input })" > "$folder/$line" ;; esac
  done < "$folder/.include"
done
`
const KNOWN = 8

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
  copy.write('.env', readFileSync(join(ROOT, '.env.example'), 'utf8').replace('WEBHOOK_SECRET_GITHUB=none', 'WEBHOOK_SECRET_GITHUB="tell # nobody"'))
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

// Deploying once is enough for all who want to begin after it.
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
  const defaults = { doctl: findDoctl(copy.root), project, environmentFile: '.env', migrations: undefined, allowBreaking: false }
  const fine = await deploy({ ...defaults, print: line => lines.push(line), ...options })
  return { fine, text: lines.join('\n'), found: lines.filter(line => /^(missing|different|left-over|failed) /.test(line)) }
}

describe('npm run deploy', () => {
  it('puts ops/migrate first and alone, applies the migrations, deploys the rest, and finds all as it should be', async () => {
    const { fine, found } = await run({ migrations: KNOWN })
    expect([fine, found]).toEqual([true, []])
    const changing = doctl.calls().filter(call => / (deploy|invoke|undeploy) /.test(call))
    expect(changing).toEqual([
      'serverless deploy . --env .env --include ops/migrate',
      'serverless functions invoke ops/migrate',
      'serverless deploy . --env .env',
    ])
    const { functions, triggers } = doctl.read()
    expect(Object.keys(functions).sort()).toEqual(['api/health', 'api/user', 'api/webhook', 'ops/maintenance', 'ops/migrate'])
    expect(Object.keys(triggers)).toHaveLength(2)
    // Again: everything is replaced, and nothing is left over.
    expect(await run({ migrations: KNOWN })).toMatchObject({ fine: true, found: [] })
  })

  it('leaves the migrations out when told so', async () => {
    expect(await run()).toMatchObject({ fine: true })
    expect(doctl.calls().join('\n')).not.toContain('invoke')
  })

  it.each<[string, DoctlFaults, string[]]>([
    [
      'what is missing, public, cut short, dropped or off',
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
      'a lost variable, a private webhook and schedules that were refused or altered',
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
      'schedules that were skipped without a word',
      { skipTriggers: true },
      [
        'missing health-every-5-minutes the schedule of api/health is not on the platform',
        'missing maintenance-every-minute the schedule of ops/maintenance is not on the platform',
      ],
    ],
    [
      'a deployer that never got through',
      { deployCrashes: true },
      [
        ...['api/webhook', 'api/user', 'api/health', 'ops/migrate', 'ops/maintenance'].map(name => `missing ${name} is not on the platform`),
        'missing health-every-5-minutes the schedule of api/health is not on the platform',
        'missing maintenance-every-minute the schedule of ops/maintenance is not on the platform',
      ],
    ],
  ])('tells by name of %s, although doctl ends with 0', async (_what, faults, expected) => {
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

  it.each([true, false])('is not content while doctl complains, although all is there (status 0: %s)', async statusZero => {
    doctl.setFaults({ complains: true, statusZero })
    const { fine, text, found } = await run()
    expect([fine, found.length]).toEqual([false, 1])
    expect(found[0]).toMatch(/^different +doctl +ended with [01], although all is as it should be/)
    expect(text).toContain('doctl: Error: While listing packages: 502 Bad Gateway')
  })

  it('tells of every function whose old bundle still serves after a partial deploy', async () => {
    deployedBefore()
    doctl.setFaults({ refuse: ['api/user', 'ops/maintenance'], statusZero: true })
    const { fine, found } = await run()
    expect(fine).toBe(false)
    expect(found.map(line => line.split('\n')[0])).toEqual([
      expect.stringMatching(/^different +api\/user +was not deployed: version 0\.0\.1, which was there before, still serves/),
      expect.stringMatching(/^different +ops\/maintenance +was not deployed/),
    ])
  })

  it('tells of limits that the platform kept because project.yml does not name them any more', async () => {
    const platform = deployedBefore()
    for (const one of Object.values(platform.functions)) one.limits.logs = 64
    doctl.write(platform)
    const { fine, found } = await run()
    expect([fine, found.length]).toEqual([false, 5])
    expect(found[0]).toContain('has the limit logs: 64, not 16\n           → write logs into its limits')
  })

  it('names what was removed from project.yml and still is there, and how to remove it, but never removes it', async () => {
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

  it('stops at a build that fails, and tells that the old bundles serve', async () => {
    deployedBefore()
    copy.write('broken', '')
    try {
      const { fine, text, found } = await run()
      expect(fine).toBe(false)
      expect(text).toContain("doctl: Error: 'build.sh' exited with code 7")
      expect(found).toHaveLength(5)
    } finally {
      rmSync(join(copy.root, 'broken'))
    }
  })

  it('shows no value of any variable, whatever differs', async () => {
    deployedBefore()
    copy.write('.env', `${readFileSync(join(copy.root, '.env'), 'utf8')}\nWEBHOOK_SECRET_GITHUB="something new entirely"\n`)
    doctl.setFaults({ refuse: ['api/webhook'] })
    const { text } = await run()
    expect(text).toContain('has other values of variables: WEBHOOK_SECRET_GITHUB')
    expect(text).not.toMatch(/tell # nobody|something new|PASSWORD@|HOST\.db/)
  })

  it('says in so many words that doctl is not connected, or does not tell', async () => {
    doctl.setFaults({ notConnected: true })
    await expect(requireConnection(findDoctl(copy.root))).rejects.toThrow(/doctl is not connected to a namespace .*doctl serverless connect/)
    doctl.setFaults({ triggersUnreadable: true })
    await expect(run()).rejects.toThrow(/triggers list .*403/)
  })

  it('says where to get doctl when there is none', async () => {
    process.env.PATH = '/nonexistent'
    await expect(run()).rejects.toThrow('https://docs.digitalocean.com/reference/doctl/how-to/install/')
  })
})

describe('the migrations of a deploy', () => {
  it.each<[string, DoctlFaults, string, RegExp]>([
    ['was refused', { refuse: ['ops/migrate'] }, String(KNOWN), /^missing +ops\/migrate/],
    ['lost its environment', { loseEnvironment: ['ops/migrate'] }, String(KNOWN), /^different +ops\/migrate +lacks variables/],
    [
      'knows fewer migrations',
      {},
      String(KNOWN - 1),
      /^different +ops\/migrate +knows 7 migrations, and this checkout has 8: an older bundle serves/,
    ],
    ['fails', {}, '(() => { throw new Error() })()', /^failed +ops\/migrate/],
    [
      'refuses a breaking one',
      {},
      '0, error: { code: "migration-breaking" }',
      /^failed +ops\/migrate .*migration-breaking[^]*→ npm run deploy -- --allow-breaking/,
    ],
    ['answers nothing of the kind', {}, '"none"', /^failed +ops\/migrate/],
  ])('keep everything else from being deployed when ops/migrate %s', async (_what, faults, known, expected) => {
    copy.write('known', known)
    doctl.setFaults({ ...faults, statusZero: true })
    const { fine, found } = await run({ migrations: KNOWN })
    expect([fine, found.length]).toEqual([false, 1])
    expect(found[0]).toMatch(expected)
    expect(Object.keys(doctl.read().functions).filter(name => name !== 'ops/migrate')).toEqual([])
  })

  it('are waited for when the platform answers before they have ended', async () => {
    doctl.setFaults({ slow: ['ops/migrate'] })
    const { fine, text } = await run({ migrations: KNOWN })
    expect([fine, text.includes('still running; asking again')]).toEqual([true, true])
  })

  it('may break what is deployed only when that is allowed', async () => {
    await run({ migrations: KNOWN, allowBreaking: true })
    expect(doctl.calls()).toContain('serverless functions invoke ops/migrate --param allowBreaking:true')
  })
})

describe('the command', () => {
  it(
    'examines, applies the migrations on the platform, deploys, and finds all as it should be; then every command of the README works',
    { timeout: 120_000 },
    async () => {
      await withDatabase(
        async database => {
          const checkout = copyCheckout(['lib', 'packages', 'build.sh', 'project.yml', 'package.json', 'package-lock.json', 'tsconfig.json'])
          try {
            const values = {
              ...readEnvironmentFile(readFileSync(join(ROOT, '.env.example'), 'utf8')),
              DB_CONNECTION_URL: `${database.url}?sslmode=require`,
              API_KEYS: `shop/users:read/${'ab'.repeat(32)}`,
              WEBHOOK_SECRET_GITHUB: 'a secret of 30 characters here'.replaceAll(' ', '-'),
            }
            checkout.write('.env', JSON.stringify(values))
            const command = (...words: string[]) =>
              spawnSync(process.execPath, [join(checkout.folder, 'lib/cli/deploy.ts'), ...words], {
                encoding: 'utf8',
                env: { PATH: doctl.environment.PATH, DOCTL_STATE: doctl.environment.DOCTL_STATE, HOME: process.env.HOME ?? '/' },
              })
            const { status, stdout, stderr } = command()
            expect([status, stderr]).toEqual([0, ''])
            expect(stdout).toContain('warn  rights')
            expect(stdout.match(/^ {2}applied /gm)).toHaveLength(migrations.length)
            expect(stdout).toContain('Deployed, and found to be as project.yml says')
            expect(stdout).not.toContain(values.WEBHOOK_SECRET_GITHUB)
            expect(await database.query('SELECT count(*)::int AS applied FROM schema_migrations')).toEqual([{ applied: migrations.length }])

            const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
            const commands = [...readme.matchAll(/^```sh\n(.*?)^```/gms)]
              .flatMap(([, block = '']) => block.split('\n'))
              .filter(line => line.startsWith('doctl '))
            expect(commands.length).toBeGreaterThan(1)
            for (const line of commands) {
              const run = await findDoctl(checkout.folder)(...line.split(' ').slice(1))
              expect([line, run.status, run.stderr]).toEqual([line, 0, ''])
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
    },
  )
})
