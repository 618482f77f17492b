import { spawnSync } from 'node:child_process'
import { afterEach, expect, test } from 'vitest'
import { useNpmStart } from './support/npm-start.ts'
import { readForCheckout } from './support/tested-application.ts'

const stage = useNpmStart()
const MIGRATION = 'lib/app/migrations/2026-12-01-0900-add-orders.ts'
const INDEX = 'lib/app/migrations/index.ts'

afterEach(() => {
  for (const file of ['project.yml', INDEX]) stage.restore(file)
})

const migration = (statement: string) => `import type { Migration } from '../../resilient-sequelize/src/migrate/migration.ts'

export const addOrders: Migration = {
  name: '2026-12-01-0900-add-orders',
  async up({ query }) {
    await query('${statement}')
  },
}
`

function migrate(action: string) {
  const program = ['lib/functions-devkit/src/cli/migrate.ts', action, '--local']
  const options = { cwd: stage.checkout, encoding: 'utf8', env: { PATH: process.env.PATH ?? '', LOCAL_DATA_FOLDER: stage.data } } as const
  return spawnSync(process.execPath, program, options)
}

const count = (text: string, part: string) => text.split(part).length - 1

test('npm start announces what a rebuild does not bring into service', async () => {
  const server = await stage.launchAndWait()

  const project = readForCheckout('project.yml').toString()
  stage.write('project.yml', `${project}# a change\n`)
  await server.shows(/^project\.yml has changed: restart npm start$/m)
  stage.write('project.yml', `${project}# another change\n`)
  stage.write('.env.local', 'SLOW_OPERATION_MS=1234\n')
  await server.shows(/^\.env\.local has changed: restart npm start$/m)
  expect(count(server.output(), 'project.yml has changed')).toBe(1)

  stage.write('packages/api/orders/index.ts', 'export const main = async () => ({ body: "none yet" })\n')
  await server.shows(/^packages\/api\/orders is new: restart npm start$/m)

  // Half written, which no line tells of.
  stage.write(MIGRATION, 'export const addOrders: Migration = { half')
  const index = readForCheckout(INDEX).toString()
  stage.write(INDEX, `import { addOrders } from './2026-12-01-0900-add-orders.ts'\n${index.replace(/,?\s*\]\s*$/, ', addOrders]\n')}`)
  stage.write(MIGRATION, migration('CREATE TABLE orders ()'))
  await server.shows(/^Migration 2026-12-01-0900-add-orders is not applied: npm run migrate -- up --local$/m)

  expect(migrate('up')).toMatchObject({ status: 0, stdout: expect.stringContaining('add-orders') as unknown })
  stage.write(MIGRATION, migration('CREATE TABLE orders (id int)'))
  await server.shows(/^Migration 2026-12-01-0900-add-orders has changed since it was applied: npm run migrate -- reset --local/m)

  const from = server.output().length
  expect(migrate('reset')).toMatchObject({ status: 0 })
  stage.write(MIGRATION, migration('CREATE TABLE orders (id bigint)'))
  await server.shows(/^Migration 2026-12-01-0900-add-orders has changed since it was applied/m, from)
})
