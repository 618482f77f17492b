import { afterAll, beforeAll, expect, it } from 'vitest'
import { bundleOf, type Metafile } from '../../src/build/metafile.ts'
import { buildBundles } from '../../src/build/pipeline.ts'
import { describeWhy, explain } from '../../src/build/why/why.ts'
import { copyCheckout, type Checkout } from '../support/checkout.ts'

let checkout: Checkout
let metafile: Metafile
beforeAll(async () => {
  checkout = copyCheckout(['build.sh', 'lib', 'package.json', 'package-lock.json', 'packages', 'project.yml'])
  metafile = await buildBundles(checkout.folder)
})
afterAll(() => checkout.remove())

it('tells of every byte of a bundle and its parts, and how long what is read takes', async () => {
  const why = await explain(checkout.folder, 'api/user', metafile)
  expect(why.files.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(bundleOf('api/user', metafile).bytes)
  expect(why.files.filter(({ ms }) => ms !== undefined).map(({ name }) => name)).toEqual(['sequelize.js', 'index.js', 'pg.js'])
  const timed = why.packages.filter(({ ms }) => ms !== undefined && ms > 0).map(({ name }) => name)
  expect(timed).toEqual(expect.arrayContaining(['sequelize', 'pg', 'pino']))
  expect(timed).not.toContain('validator')
  expect(describeWhy(why)).toMatch(/^validator\.js +\d+ bytes {2}not read before it is needed$/m)
})

it('knows no function that is not there', async () => {
  await expect(explain(checkout.folder, 'api/nobody', metafile)).rejects.toThrow(
    'project.yml names no function api/nobody; it names api/health, api/user, api/webhook, ops/maintenance, ops/migrate',
  )
})
