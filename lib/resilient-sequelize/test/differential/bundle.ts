import { join } from 'node:path'
import { bundleFunctions } from '../../../functions-devkit/test/support/bundle-functions.ts'
import { BUILDER, copyCheckout } from '../../../functions-devkit/test/support/checkout.ts'

const PROJECT = 'packages:\n  - name: app\n    functions:\n      - { name: differential, runtime: "nodejs:24", web: false }\n'
const APPLICATION = 'lib/resilient-sequelize/test/differential/application.ts'

/** A minified bundle of an application with the package, Sequelize and pg, as `build.sh` makes a function's. */
export interface Bundle {
  readonly file: string
  remove(): void
}

/** Builds the bundle in a copy of this checkout. */
export function buildApplication(): Bundle {
  const checkout = copyCheckout([
    ...BUILDER,
    'lib/invocation/src',
    'lib/resilient-sequelize/src',
    'lib/resilient-sequelize/package.json',
    APPLICATION,
  ])
  try {
    checkout.write('project.yml', PROJECT)
    checkout.write('packages/app/differential/index.ts', `export { main } from '../../../${APPLICATION}'\n`)
    checkout.write('packages/app/differential/dist/package.json', '{ "type": "commonjs" }')
    bundleFunctions(checkout.folder)
  } catch (error) {
    checkout.remove()
    throw error
  }
  return { file: join(checkout.folder, 'packages/app/differential/dist/index.js'), remove: () => checkout.remove() }
}
