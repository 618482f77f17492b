import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse as parseDotenv } from 'dotenv'
import { functionsOf, parseProject, placeholderEnvironment } from 'doctl-project-schema'
import { describe, expect, it } from 'vitest'
import { apiSettings } from '../../lib/config/settings/api.ts'
import { databaseSettings, migrationSettings } from '../../lib/config/settings/database.ts'
import { logSettings } from '../../lib/config/settings/log.ts'
import { retentionSettings } from '../../lib/config/settings/retention.ts'
import { variablesOf } from '../../lib/config/settings.ts'
import { sourceSettings } from '../../lib/webhooks/sources.ts'
import type { Main } from '../../lib/function/define.ts'

const root = join(import.meta.dirname, '../..')
const text = readFileSync(join(root, 'project.yml'), 'utf8')
const functions = functionsOf(parseProject(text, placeholderEnvironment(text)))
const all = variablesOf({
  api: apiSettings,
  database: databaseSettings,
  migration: migrationSettings,
  log: logSettings,
  retention: retentionSettings,
  sources: sourceSettings,
})

describe.each(functions)('$qualifiedName', ({ qualifiedName, environment }) => {
  it('is passed exactly the variables that it reads', async () => {
    const { main } = (await import(join(root, 'packages', qualifiedName, 'index.ts'))) as { main: Main }
    expect(Object.keys(environment).sort()).toEqual(main.variables)
  })

  it('is packed from its bundle and the package.json beside it', () => {
    expect(readFileSync(join(root, 'packages', qualifiedName, '.include'), 'utf8')).toBe('dist/index.js\n../../../lib/zip/package.json\n')
  })
})

it('declares every function that there is', () => {
  const folders = readdirSync(join(root, 'packages')).flatMap(name => readdirSync(join(root, 'packages', name)).map(inner => `${name}/${inner}`))
  expect(functions.map(({ qualifiedName }) => qualifiedName).sort()).toEqual(folders.sort())
})

it('names every variable in .env.example, with a value, and no other', () => {
  const example = parseDotenv(readFileSync(join(root, '.env.example')))
  expect(Object.keys(example).sort()).toEqual(all)
  expect(Object.entries(example).filter(([, value]) => value === '')).toEqual([])
})

it('names every variable in the table of the README, and no other', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const table = readme.slice(readme.indexOf('## Settings'), readme.indexOf('## Deploy'))
  const named = [...table.matchAll(/^\| (.+?) \|/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, name]) => name))
  expect(named.sort()).toEqual(all)
})
