import { describe, expect, it } from 'vitest'
import { applicationSources, createdTables, packageSources, unqualifiedLines } from '../../../functions-devkit/test/support/sources.ts'
import { joined, sql, tablesNamed } from '../../src/database/sql.ts'

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
  const ours = await createdTables()
  expect(ours).toEqual(expect.arrayContaining(['users', 'webhook_events', 'webhook_erased', 'operation_counters', 'health_checks']))
  const sources = [...packageSources(), ...applicationSources()]
  expect(sources.length).toBeGreaterThan(200)
  expect(unqualifiedLines(sources, ours)).toEqual([])
  const wrong = 'const text = sql`SELECT * FROM users`'
  expect(unqualifiedLines([{ path: 'lib/app/users.ts', text: wrong }], ours)).toEqual([`lib/app/users.ts: ${wrong}`])
})
