import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { resetDatabase } from '../../../functions-devkit/src/cli/migrate/reset.ts'
import { migrationSettings } from '../../src/database/settings.ts'
import { dumpRows } from '../../../functions-devkit/test/support/catalog.ts'
import { withDatabase } from '../../../functions-devkit/test/support/database.ts'
import { addressOf, useNpmStart } from '../../../functions-devkit/test/support/npm-start.ts'

function missing(): never {
  throw new Error('the settings of the test are wrong')
}

const DB_SCHEMA = 'functions'

describe('npm start with DB_SCHEMA', () => {
  const stage = useNpmStart()

  it('serves from that schema, and migrate --local works on it', async () => {
    const chooseSchema = (schema: string) => stage.write('.env.local', `DB_SCHEMA=${schema}\n`)
    chooseSchema(DB_SCHEMA)
    const server = await stage.launchAndWait({ environment: { DB_SCHEMA: 'of_the_shell' } })
    const ready = await fetch(`${addressOf(server)}/health/ready`)
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'pass' }])
    const status = (environment: Record<string, string>) =>
      spawnSync(process.execPath, [join(stage.checkout, 'lib/functions-devkit/src/cli/migrate.ts'), 'status', '--local'], {
        cwd: stage.checkout,
        encoding: 'utf8',
        env: { PATH: process.env.PATH ?? '', LOCAL_DATA_FOLDER: stage.data, ...environment },
      })
    expect(status({ DB_SCHEMA: 'of_the_shell' })).toMatchObject({ status: 0, stdout: expect.stringMatching(/^applied {2}/m) as unknown })
    chooseSchema('none')
    expect(status({})).toMatchObject({ status: 1, stdout: expect.stringMatching(/^pending {2}/m) as unknown })
    chooseSchema('pg_catalog')
    expect(status({})).toMatchObject({ status: 1, stderr: expect.stringContaining('DB_SCHEMA') as unknown })
  })
})

describe('migrate reset with DB_SCHEMA', () => {
  it('throws away what is in that schema alone', async () => {
    await withDatabase(
      async database => {
        await database.query(
          `CREATE TABLE users (id int); INSERT INTO users VALUES (1); CREATE SCHEMA ${DB_SCHEMA}; CREATE TABLE ${DB_SCHEMA}.old (id int)`,
        )
        const before = await dumpRows(database, 'public')
        const settings = migrationSettings.parse({ DB_MIGRATION_URL: `${database.url}?sslmode=disable`, DB_SCHEMA }).value
        const { applied } = await resetDatabase({ settings: settings ?? missing(), withinMs: 20_000 })
        expect(applied.length).toBeGreaterThan(3)
        expect(await dumpRows(database, 'public')).toEqual(before)
        expect(await database.query('SELECT to_regclass($1) AS old', [`${DB_SCHEMA}.old`])).toEqual([{ old: null }])
      },
      { empty: true },
    )
  })
})
