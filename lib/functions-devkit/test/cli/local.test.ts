import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { useNpmStart } from '../support/npm-start.ts'

const npmStart = useNpmStart()

/** Runs a command through the launcher beside a .env that belongs to a deployment. */
function run(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['lib/functions-devkit/bin/functions-devkit.mjs', ...words], {
    cwd: npmStart.checkout,
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? '', LOCAL_DATA_FOLDER: npmStart.data },
  })
  return { status, stdout, stderr }
}

/** The only document on standard output, with nothing else beside it. */
function json(...words: string[]): unknown {
  const { status, stdout, stderr } = run(...words, '--json')
  expect({ words, status, stderr }).toEqual({ words, status: 0, stderr: '' })
  return JSON.parse(stdout)
}

test('commands with --local work on the running npm start, as tables and as JSON', async () => {
  await npmStart.launchAndWait()
  npmStart.write('.env', 'DB_CONNECTION_URL=mysql://elsewhere/db\nDB_MIGRATION_URL=mysql://elsewhere/db\nSMOKE_API_KEY=elsewhere\n')

  expect(run('send', 'demo', 'smoke.ping', '--local', '--duplicate').stdout).toMatch(
    /^200 applied {2}evt_\w+ {2}\{.*\}\n200 duplicate {2}evt_\w+ {2}\{.*\}\n$/,
  )
  expect(json('send', 'demo', 'no.such.type', '--expect', 'ignored')).toMatchObject({
    asExpected: true,
    answers: [{ status: 200, outcome: 'ignored', body: { outcome: 'ignored' } }],
  })
  expect(run('send', 'demo', 'smoke.ping', '--expect', 'ignored').status).toBe(1)
  expect(json('send', 'github', 'smoke.ping', '--data', '{"a":1}', '--times', '2', '--expect', 'applied')).toMatchObject({ asExpected: true })

  expect(json('webhooks', 'list', '--local')).toEqual({ events: [], buffer: null })
  expect(run('webhooks', 'list', '--local', '--pending')).toMatchObject({ status: 0, stdout: 'No event\n' })

  expect(json('migrate', 'status', '--local')).toMatchObject({ migrations: expect.arrayContaining([expect.anything()]) as unknown, unknown: [] })
  expect(run('migrate', 'status', '--local').stdout).toMatch(/^state +migration +applied +note\napplied /)
  expect(json('migrate', 'up', '--local')).toMatchObject({ applied: [] })

  expect(json('smoke', '--local')).toMatchObject({
    failed: 0,
    checks: expect.arrayContaining([expect.objectContaining({ outcome: 'ok' })]) as unknown,
  })
  expect(run('smoke', '--local').stdout).toContain('All is well.')
})

test.each([['send', 'demo', 'smoke.ping'], ['webhooks', 'list'], ['migrate', 'status'], ['smoke']])(
  '%s --local names npm start when none is running',
  (...words) => {
    const { status, stdout, stderr } = run(...words, '--local')
    expect(status).not.toBe(0)
    expect({ stdout, stderr }).toEqual({ stdout: '', stderr: 'No local server is running on this checkout: npm start starts one\n' })
  },
)
