import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parse } from 'dotenv'
import { expect, it } from 'vitest'
import { healthKeySettings } from '../../../functions-ops/src/settings/health.ts'
import { payloadSettings } from '../../../webhook-inbox/src/settings/payload.ts'
import { readSettings } from '../../../functions-runtime/src/settings/settings.ts'
import { sourceSettings } from '../application/lib/app/webhooks/sources.ts'

const run = (...words: string[]) =>
  spawnSync(process.execPath, [join(import.meta.dirname, '../../src/cli/secrets.ts'), ...words], { encoding: 'utf8' })

it('npm run secrets prints usable secrets of each kind, fresh each time', () => {
  const [first, second] = [run(), run()].map(({ status, stdout }) => (expect(status).toBe(0), parse(stdout)))
  if (first === undefined || second === undefined) throw new Error('nothing was printed')
  expect(Object.keys(first)).toEqual(['WEBHOOK_SECRET_DEMO', 'PAYLOAD_KEY', 'HEALTH_KEY'])
  const { sources, keys, health } = readSettings({ sources: sourceSettings, keys: payloadSettings, health: healthKeySettings }, first)
  expect([sources.weakSecrets, keys.byId.size, health.digests.length]).toEqual([[], 1, 1])
  for (const name of Object.keys(first)) expect(first[name]).not.toBe(second[name])
})

it('npm run secrets takes no arguments', () => {
  expect(run('new')).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(/^usage: npm run secrets/m) as unknown })
})

it('npm run secrets shows its usage', () => {
  expect(run('--help')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^usage: npm run secrets/) as unknown, stderr: '' })
})
