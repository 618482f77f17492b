import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cron } from 'croner'
import { expect, it } from 'vitest'
import { functionsOf, parseProject, placeholderEnvironment, readEnvironmentFile } from '../../lib/doctl-project-schema/src/index.ts'
import { startLanguageServer } from '../../lib/doctl-project-schema/test/editor/language-server.ts'
import { REPOSITORY } from '../../lib/functions-devkit/test/support/tested-application.ts'
import { scheduleSettings } from '../../lib/functions-ops/src/settings/health.ts'

const SCHEMA = 'lib/doctl-project-schema/project.schema.json'
const project = readFileSync(join(REPOSITORY, 'project.yml'), 'utf8')

it('an editor finds the schema by the first line of project.yml, and marks nothing in it', async () => {
  expect(project.startsWith(`# yaml-language-server: $schema=${SCHEMA}\n`)).toBe(true)
  const folder = mkdtempSync(join(tmpdir(), 'project-editor-'))
  cpSync(join(REPOSITORY, SCHEMA), join(folder, SCHEMA), { recursive: true })
  const editor = startLanguageServer(folder)
  try {
    expect(await editor.marksOf('project.yml', project)).toEqual([])
  } finally {
    await editor.stop()
    rmSync(folder, { recursive: true })
  }
})

it('the schedule that checks the health runs as often as HEALTH_EVERY_SECONDS in .env.example says', () => {
  const { value } = scheduleSettings.parse(readEnvironmentFile(readFileSync(join(REPOSITORY, '.env.example'), 'utf8')))
  const checking = functionsOf(parseProject(project, placeholderEnvironment(project))).filter(
    ({ environment }) => 'HEALTH_EVERY_SECONDS' in environment,
  )
  const crons = checking.flatMap(({ triggers }) => triggers.map(({ cron }) => cron))
  expect(crons).toHaveLength(1)
  const [first, second] = new Cron(crons[0] ?? '', { timezone: 'UTC' }).nextRuns(2, new Date('2026-11-24T12:00:00.000Z'))
  expect(Number(second) - Number(first)).toBe(value?.everyMs)
})
