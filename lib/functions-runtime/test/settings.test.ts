import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkSettings as checkBeforeDeploying } from '../../functions-devkit/src/cli/doctor/settings.ts'
import { placeholderEnvironment } from '../../doctl-project-schema/src/index.ts'
import { checkSettings as checkBeforeServing } from '../../functions-devkit/src/server/settings-check.ts'
import { main } from '../../functions-devkit/test/application/packages/api/webhook/index.ts'
import { call, webhookSecret, withEnvironment } from '../../functions-devkit/test/support/functions.ts'
import { gatherLogLines } from '../../functions-devkit/test/support/log-lines.ts'
import { APPLICATION_FOLDER, REPOSITORY } from '../../functions-devkit/test/support/tested-application.ts'

const wrong = {
  DB_CONNECTION_URL: "psql 'postgresql://uusserr:Zq7zQ@hhosst:25060/defaultdb?sslmode=require'",
  DB_CA_CERT: '/etc/ssl/certs/Zq7zQ.crt',
  REDIS_URL: 'redis+sentinel://:Zq7zQ@hhosst:26379/mymaster',
  REDIS_CA_CERT: '-----BEGIN CERTIFICATE-----',
}
const secrets = /Zq7zQ|uusserr|hhosst/
const issues = [
  'DB_CONNECTION_URL is a command line: write only the URL, postgresql://user:password@host:port/name',
  'DB_CA_CERT is the path of a file: paste the content of the file',
  'REDIS_URL is an address of Sentinel, which is not asked: write that of the primary',
  'REDIS_CA_CERT is cut off, its END line is missing: paste the whole PEM text of the CA, or base64 of it on one line; in .env, several lines need quotes',
]
const ofDatabase = issues.slice(0, 2)

describe('settings that cannot be used', () => {
  it('are one line in the log and a plain 503', async () => {
    const environment = { ...wrong, WEBHOOK_SECRET_DEMO: webhookSecret, LOG_LEVEL: 'info' }
    let answer: unknown
    const lines = await gatherLogLines(async () => {
      answer = await withEnvironment(environment, () => call(main, { method: 'POST', path: '/demo', body: '{}' }))
    })
    expect(lines).toMatchObject([{ event: 'invocation.completed', status: 503, code: 'settings-invalid', settings: issues }])
    expect(answer).toMatchObject({ statusCode: 503, body: { code: 'settings-invalid' } })
    expect(JSON.stringify(answer)).not.toMatch(/DB_|REDIS_|psql|Sentinel/)
    expect(JSON.stringify([lines, answer])).not.toMatch(secrets)
  })

  it('end npm start and npm run serve in words', () => {
    const environment = { ...wrong, WEBHOOK_SECRET_DEMO: webhookSecret }
    const check = () => checkBeforeServing([{ qualifiedName: 'api/webhook', settingIssues: () => main.settingIssues(environment) }])
    expect(check).toThrow(['Settings are not usable:', ...issues.map(issue => `  ${issue} (api/webhook)`)].join('\n'))
  })

  it.each([
    ['migrate.ts', 'status', ofDatabase],
    ['webhooks.ts', 'list', issues],
  ])('end the command line of %s in words', (file, command, expected) => {
    const env = { PATH: process.env.PATH ?? '', APPLICATION_FOLDER, ...wrong }
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(REPOSITORY, 'lib/functions-devkit/src/cli', file), command], {
      encoding: 'utf8',
      env,
    })
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    for (const issue of expected) expect(stderr).toContain(issue)
    expect(stderr).not.toMatch(secrets)
  })

  it.each([
    ['a wrong host', 'db-7.example.invalid', 25060],
    ['a closed port', '127.0.0.1', 1],
  ])('npm run webhooks names the doctor for %s', (_what, host, port) => {
    const env = {
      PATH: process.env.PATH ?? '',
      APPLICATION_FOLDER,
      DB_CONNECTION_URL: `postgres://u:p@${host}:${port}/db?sslmode=disable`,
      WEBHOOK_SECRET_DEMO: webhookSecret,
    }
    const { status, stderr } = spawnSync(process.execPath, [join(REPOSITORY, 'lib/functions-devkit/src/cli/webhooks.ts'), 'list'], {
      encoding: 'utf8',
      env,
    })
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(
        /^(waiting for the database, .*\n)?(.*; tried again .*\n)?database-\w+: .*\nnpm run doctor names the reason and the cure\n$/,
      ),
    ])
  })

  it('are found before deploying, in the same words', async () => {
    const names = Object.keys(placeholderEnvironment(readFileSync(join(APPLICATION_FOLDER, 'project.yml'), 'utf8')))
    const others = Object.fromEntries(names.map(name => [name, 'none']))
    const findings = await checkBeforeDeploying(APPLICATION_FOLDER, { ...others, WEBHOOK_SECRET_DEMO: webhookSecret, ...wrong })
    const reasons = findings.filter(({ status }) => status === 'fail').map(({ reason }) => reason)
    for (const issue of issues) expect(reasons).toContainEqual(expect.stringContaining(`${issue} (`))
    expect(JSON.stringify(findings)).not.toMatch(secrets)
  })
})
