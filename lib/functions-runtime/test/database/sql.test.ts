import { globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { migrations } from '../../../functions-devkit/test/application/lib/app/migrations/index.ts'
import { collectStatements } from '../../../resilient-sequelize/src/migrate/collect-statements.ts'
import { createdNames } from '../../../resilient-sequelize/src/migrate/created-names.ts'
import { joined, sql, tablesNamed } from '../../src/database/sql.ts'

const root = resolve(import.meta.dirname, '../../../..')

describe('sql', () => {
  const tables = tablesNamed('users', 'balances')
  const one = sql`SELECT * FROM ${tables.users} WHERE id = $id AND ${'name'} > ${3}`

  it('names tables with the schema', () => {
    expect(one('public')).toBe('SELECT * FROM "public"."users" WHERE id = $id AND name > 3')
    expect(one('Select')).toBe('SELECT * FROM "Select"."users" WHERE id = $id AND name > 3')
  })

  it('quotes whatever the schema contains', () => {
    expect(tables.users('a"b; DROP')).toBe('"a""b; DROP"."users"')
  })

  it('takes statements as parts', () => {
    expect(sql`WITH a AS (${one}) ${joined([tables.users, tables.balances], ', ')}`('s')).toBe(
      'WITH a AS (SELECT * FROM "s"."users" WHERE id = $id AND name > 3) "s"."users", "s"."balances"',
    )
  })

  it('builds the text once for each schema', () => {
    let built = 0
    const counted = sql`SELECT ${schema => `${schema}${(built += 1)}`}`
    expect([counted('a'), counted('b'), counted('a'), counted('b')]).toEqual(['SELECT a1', 'SELECT b2', 'SELECT a1', 'SELECT b2'])
  })

  it('keeps a backslash as it is written', () => {
    expect(sql`SELECT '\\d' FROM ${tables.users}`('s')).toBe('SELECT \'\\d\' FROM "s"."users"')
  })
})

it('no statement names one of our tables without its schema', async () => {
  const collected = await Promise.all(migrations.map(collectStatements))
  const created = collected.flatMap(({ statements }) => statements.flatMap(({ text }) => createdNames(text)))
  const ours = new Set(['schema_migrations', ...created.filter(({ kind }) => kind === 'table' || kind === 'view').map(({ name }) => name)])
  expect([...ours]).toEqual(expect.arrayContaining(['users', 'webhook_events', 'webhook_erased', 'operation_counters', 'health_checks']))
  const unqualified = new RegExp(`\\b(FROM|JOIN|INTO|UPDATE|TABLE|ON)\\s+(ONLY\\s+)?(${[...ours].join('|')})\\b(?!\\.)`)
  const files = globSync(['lib/**/*.ts', 'packages/**/*.ts'], { cwd: root }).filter(
    // Migrations run with the schema as their search path; the last two are tests' own.
    file => !/\/migrations\/|\/test\/|lib\/postgres-faults\/|node_modules/.test(file),
  )
  expect(files.length).toBeGreaterThan(200)
  const found = files.flatMap(file =>
    readFileSync(resolve(root, file), 'utf8')
      .split('\n')
      .filter(line => unqualified.test(line) && !/^\s*(\/\/|\*)/.test(line))
      .map(line => `${file}: ${line.trim()}`),
  )
  expect(found).toEqual([])
})
