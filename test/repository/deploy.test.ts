import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { answering, KNOWN, useDeployStage } from '../../lib/functions-devkit/test/support/deploy-stage.ts'
import { REPOSITORY } from '../../lib/functions-devkit/test/support/tested-application.ts'

const readme = readFileSync(join(REPOSITORY, 'README.md'), 'utf8')
const stage = useDeployStage()
const { run, deployedBefore } = stage

describe('the table of the README', () => {
  const [, table = ''] = /^## Deploy$.*?\n\| it prints \|.*?\n\|[ -|]+\n(.*?)\n\n/ms.exec(readme) ?? []
  const rows = table.split('\n').map(row => row.split('|').map(cell => cell.trim()))
  const failing = (error: object) => () => stage.copy.write('known', answering(error))

  /** How each row comes about, by its first cell. */
  const PROVOKED: Readonly<Record<string, () => unknown>> = {
    'failed ops/migrate failed: database-unavailable': failing({ code: 'database-unavailable' }),
    'failed ops/migrate failed: migration-breaking': failing({ code: 'migration-breaking' }),
    'failed ops/migrate failed: migration-failed': failing({ code: 'migration-failed' }),
    'failed ops/migrate failed: deadline-exceeded': failing({ code: 'deadline-exceeded' }),
    'failed ops/migrate crashed': () => stage.copy.write('known', 'process.exit(1)'),
    'failed ops/migrate was not called': () => stage.doctl.setFaults({ throttled: ['ops/migrate'] }),
    'doctl: Output of failed build': () => stage.copy.write('broken', ''),
    'missing … is not on the platform': () => stage.doctl.setFaults({ refuse: ['api/health'] }),
    'missing … the schedule': () => stage.doctl.setFaults({ skipTriggers: true }),
    'different … was not deployed': () => (deployedBefore(), stage.doctl.setFaults({ refuse: ['api/health'] })),
    'different … lacks variables': () => stage.doctl.setFaults({ loseVariables: ['LOG_LEVEL'] }),
    'different … reads variables that project.yml does not pass': () => undefined,
    'left-over … still answers': () => leave('functions'),
    'left-over … the schedule still invokes': () => leave('triggers'),
    'unknown … could not be read': () => stage.doctl.setFaults({ triggersUnreadable: true }),
  }
  const leave = (kind: 'functions' | 'triggers') => {
    const platform = deployedBefore()
    const { 'api/health': deployed } = platform.functions
    const [trigger] = Object.values(platform.triggers)
    if (kind === 'functions' && deployed) platform.functions['api/old'] = { ...deployed, name: 'old' }
    if (kind === 'triggers' && trigger) platform.triggers['old'] = { ...trigger, name: 'old' }
    stage.doctl.write(platform)
  }
  /** What stands between backticks in a cell. */
  const quoted = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text)

  afterEach(() => rmSync(join(stage.copy.root, 'broken'), { force: true }))

  it('has a row for each outcome that is provoked here', () => {
    expect(rows.map(([, first]) => quoted(first)[0])).toEqual(Object.keys(PROVOKED))
  })

  it.each(rows)('%s%s is printed with its cure', async (_start, first, _because, cure) => {
    const [printed = ''] = quoted(first)
    PROVOKED[printed]?.()
    const reads = printed.includes('reads variables') ? new Map([['api/health', ['FRESH']]]) : new Map<string, string[]>()
    const { fine, text } = await run({ reads, migrations: printed.includes('ops/migrate') ? KNOWN : undefined })
    expect(fine).toBe(false)
    const lines = text.replaceAll(/ {2,}/g, ' ')
    expect(lines).toMatch(new RegExp(printed.replaceAll('.', String.raw`\.`).replaceAll(' … ', '.* ')))
    const commands = quoted(cure).filter(words => /^(npm run (?!build)|doctl )/.test(words))
    for (const words of commands) expect(text).toContain(words)
  })
})

it('every doctl command of the README works', async () => {
  expect(await run()).toMatchObject({ fine: true })
  const blocks = [...readme.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) => block).filter(block => /^(ID=\$\()?doctl /m.test(block))
  expect(blocks.length).toBeGreaterThan(2)
  for (const block of blocks) {
    const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', block], {
      cwd: stage.copy.root,
      encoding: 'utf8',
      // bash takes a socket on its standard input for a login over the network.
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, FUNCTIONS_ACCESS_KEY: 'dof_v1_id:secret' },
    })
    const shown = /"success": true/.test(stdout)
    expect([block, status, stderr, shown]).toEqual([block, 0, '', block.includes('--no-wait')])
  }
})
