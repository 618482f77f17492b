import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundle } from '../../../lib/functions-devkit/src/build/bundle/bundle.ts'
import { ABSENT } from '../../../lib/functions-devkit/src/build/bundle/taken-out.ts'
import { bundleFunctions } from '../../../lib/functions-devkit/test/support/bundle-functions.ts'
import { copyCheckout, type Checkout } from '../../../lib/functions-devkit/test/support/checkout.ts'

const ROOT = join(import.meta.dirname, '../../..')
const RIVALS = ['pg-pool', 'postgres-js', 'stock-sequelize', 'lambda-recipe'] as const
const OURS = ['user', 'service', 'webhook'] as const

/** One way of using the database from a function. */
export interface Way {
  readonly name: string
  readonly entry: string
  /** Variables of its own. */
  readonly environment?: Readonly<Record<string, string>>
}

export interface Ways extends Disposable {
  /** In the order in which they are shown; the first is what all are compared with. */
  readonly compared: readonly Way[]
  readonly direct: Way
  readonly webhook: Way
  readonly unbundled: Way
}

/**
 * Bundles them all: ours by `build.sh`, as they are deployed, with what calls them in place of the platform; the others
 * by the same bundler with the same settings, save that nothing is taken out of their packages.
 */
export async function buildWays(): Promise<Ways> {
  const checkout = copyCheckout(['build.sh', 'lib', 'packages', 'test/bench/compare'])
  try {
    const functions = OURS.map(name => `      - { name: ${name}, runtime: "nodejs:24", web: false }\n`).join('')
    checkout.write('project.yml', `packages:\n  - name: bench\n    functions:\n${functions}`)
    for (const name of OURS) checkout.write(`packages/bench/${name}/index.ts`, `export * from '../../../test/bench/compare/functions/${name}.ts'\n`)
    bundleFunctions(checkout.folder)
    const rivals = join(checkout.folder, 'rivals')
    await bundle({
      checkout: ROOT,
      entries: RIVALS.map(name => `test/bench/compare/functions/${name}.ts`),
      parts: [],
      absent: ABSENT,
      standIns: [],
      outdir: rivals,
    })
    const ours = (name: (typeof OURS)[number]) => commonJs(checkout, `packages/bench/${name}/dist/index.js`)
    const rival = (name: (typeof RIVALS)[number]) => commonJs(checkout, `rivals/test/bench/compare/functions/dist/${name}.js`)
    return {
      compared: [
        { name: 'pg.Pool', entry: rival('pg-pool') },
        { name: 'ours, api/user', entry: ours('user') },
        { name: 'ours, one operation', entry: ours('service') },
        { name: 'stock Sequelize', entry: rival('stock-sequelize') },
        { name: "Sequelize's recipe", entry: rival('lambda-recipe') },
        { name: 'postgres.js', entry: rival('postgres-js') },
      ],
      direct: { name: 'ours, direct TLS', entry: ours('service'), environment: { DB_TLS_NEGOTIATION: 'direct' } },
      webhook: { name: 'ours, api/webhook to its 401', entry: ours('webhook') },
      unbundled: { name: 'Sequelize, pg, pino and zod, unbundled', entry: join(import.meta.dirname, 'unbundled.cjs') },
      [Symbol.dispose]: () => checkout.remove(),
    }
  } catch (error) {
    checkout.remove()
    throw error
  }
}

/** The bundle in a place of its own, where it is no ES module and finds no packages. */
function commonJs(checkout: Checkout, path: string): string {
  const folder = join(checkout.folder, path, '..')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }')
  return join(checkout.folder, path)
}
