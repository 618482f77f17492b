import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copyCheckout, type Checkout } from './support/checkout.ts'
import { cruise, CRUISE_ARGUMENTS, CRUISE_PROGRAM } from './support/cruise.ts'
import { REPOSITORY } from './support/tested-application.ts'

interface Config {
  readonly default: { readonly forbidden: readonly { readonly name: string }[] }
}
const { scripts } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
const config = (await import(join(REPOSITORY, '.config/dependency-cruiser.js'))) as Config

/** One file of each layer, for the others to import. */
const TARGETS = [
  'lib/invocation/src/index.ts',
  'lib/resilient-sequelize/src/index.ts',
  'lib/functions-runtime/src/telemetry/index.ts',
  'lib/webhook-inbox/src/inbox/claim.ts',
  'lib/functions-ops/src/health/index.ts',
  'lib/app/tables/index.ts',
  'lib/functions-devkit/src/stand-ins/index.ts',
  'lib/doctl-project-schema/src/index.ts',
  'lib/functions-devkit/src/cli/index.ts',
  'lib/postgres-faults/src/index.ts',
  'packages/api/index.ts',
  'test/support/index.ts',
]
const NEVER_DEPLOYED = [
  'lib/functions-devkit/src/cli/index.ts',
  'lib/functions-devkit/src/stand-ins/index.ts',
  'lib/postgres-faults/src/index.ts',
  'lib/doctl-project-schema/src/index.ts',
  'test/support/index.ts',
]

/** Imports that break a rule: of the rule, the folder of the importing file, and what it imports. */
const BREAKS: Readonly<Record<string, readonly [folder: string, imports: readonly string[]]>> = {
  'imports-of-invocation': ['lib/invocation/src', ['pg', 'lib/resilient-sequelize/src/index.ts', ...NEVER_DEPLOYED]],
  'imports-of-resilient-sequelize': [
    'lib/resilient-sequelize/src/wire',
    ['zod', 'lib/functions-runtime/src/telemetry/index.ts', 'packages/api/index.ts', ...NEVER_DEPLOYED],
  ],
  'imports-of-functions-runtime': [
    'lib/functions-runtime/src/edge',
    ['croner', 'lib/webhook-inbox/src/inbox/claim.ts', 'lib/functions-ops/src/health/index.ts', 'packages/api/index.ts', ...NEVER_DEPLOYED],
  ],
  'imports-of-webhook-inbox': [
    'lib/webhook-inbox/src/inbox',
    ['pg', 'lib/functions-ops/src/health/index.ts', 'packages/api/index.ts', ...NEVER_DEPLOYED],
  ],
  'imports-of-functions-ops': ['lib/functions-ops/src/health', ['croner', 'packages/api/index.ts', ...NEVER_DEPLOYED]],
  'imports-of-app': ['lib/app/tables', ['pg', 'packages/api/index.ts', ...NEVER_DEPLOYED]],
  'imports-of-packages': ['packages/api/user', ['pg', ...NEVER_DEPLOYED]],
  'imports-of-stand-ins': ['lib/functions-devkit/src/stand-ins', ['lib/functions-runtime/src/telemetry/index.ts', 'test/support/index.ts']],
  'imports-of-doctl-project-schema': [
    'lib/doctl-project-schema/src',
    ['pg', 'lib/functions-runtime/src/telemetry/index.ts', 'test/support/index.ts'],
  ],
  'imports-of-functions-devkit': [
    'lib/functions-devkit/src/server',
    ['lib/postgres-faults/src/index.ts', 'packages/api/index.ts', 'test/support/index.ts'],
  ],
  'imports-of-postgres-faults': ['lib/postgres-faults/src', ['packages/api/index.ts', 'test/support/index.ts']],
  'imports-of-lib-app': ['lib/functions-ops/src/health', ['lib/app/tables/index.ts']],
  'every-file-has-a-layer': ['lib/invocation', ['lib/invocation/src/index.ts']],
  'every-import-resolves': ['test/unit', ['./missing.ts', 'missing-package']],
}
const breaks = Object.entries(BREAKS).flatMap(([rule, [folder, imports]]) =>
  imports.map((imported, index) => ({ rule, file: `${folder}/breaks-${rule}-${index}.ts`, imported })),
)
const importApp = ['invocation', 'resilient-sequelize', 'functions-runtime', 'webhook-inbox', 'functions-devkit', 'postgres-faults'].map(folder => ({
  rule: 'imports-of-lib-app',
  file: `lib/${folder}/src/imports-app.ts`,
  imported: 'lib/app/tables/index.ts',
}))
const refused = [...breaks, ...importApp]

const ALLOWED: readonly (readonly [folder: string, imports: readonly string[]])[] = [
  ['lib/invocation/src', ['node:fs']],
  ['lib/resilient-sequelize/src', ['lib/invocation/src/index.ts', 'pg', 'sequelize']],
  ['lib/functions-runtime/src/edge', ['lib/resilient-sequelize/src/index.ts', 'pino']],
  ['lib/webhook-inbox/src/inbox', ['lib/resilient-sequelize/src/index.ts', 'lib/functions-runtime/src/telemetry/index.ts']],
  ['lib/functions-ops/src/health', ['lib/webhook-inbox/src/inbox/claim.ts', 'lib/functions-runtime/src/telemetry/index.ts']],
  ['lib/app/tables', ['lib/webhook-inbox/src/inbox/claim.ts', 'sequelize']],
  ['lib/app/api', ['croner']],
  ['packages/api', ['lib/app/tables/index.ts', 'lib/webhook-inbox/src/inbox/claim.ts', 'croner']],
  ['lib/functions-devkit/src/server', ['lib/functions-devkit/src/cli/index.ts', 'lib/doctl-project-schema/src/index.ts', 'pg']],
  ['lib/invocation/test', ['vitest']],
  ['test/unit', TARGETS],
]
const allowed = ALLOWED.flatMap(([folder, imports]) => imports.map((imported, index) => ({ file: `${folder}/allowed-${index}.ts`, imported })))

/** Folders in which two files know each other's types. */
const CYCLES = ['lib/invocation/src', 'lib/resilient-sequelize/src', 'lib/webhook-inbox/src', 'lib/doctl-project-schema/src', 'test/support']

function importing(file: string, imported: string): string {
  const up = '../'.repeat(file.split('/').length - 1)
  return `import type * as imported from '${/^(lib|packages|test)\//.test(imported) ? `${up}${imported}` : imported}'\nexport type Imported = typeof imported\n`
}

describe('the import table', () => {
  let checkout: Checkout
  let reported: readonly string[]
  beforeAll(() => {
    checkout = copyCheckout(['.config/dependency-cruiser.js', 'package.json'])
    for (const target of TARGETS) checkout.write(target, 'export const here = true\n')
    for (const { file, imported } of [...refused, ...allowed]) checkout.write(file, importing(file, imported))
    for (const folder of CYCLES) {
      checkout.write(`${folder}/one.ts`, "import type { Other } from './other.ts'\nexport type One = Other | 1\n")
      checkout.write(`${folder}/other.ts`, "import { type One } from './one.ts'\nexport type Other = readonly One[]\n")
    }
    reported = cruise(checkout.folder).summary.violations.map(({ rule, from }) => `${rule.name} ${from}`)
  })
  afterAll(() => checkout.remove())

  it.each(refused)('reports $rule: $file → $imported', ({ rule, file }) => expect(reported).toContain(`${rule} ${file}`))

  it.each(allowed)('allows $file → $imported', ({ file }) => expect(reported.filter(line => line.endsWith(` ${file}`))).toEqual([]))

  it.each(CYCLES)('reports a cycle of types in %s', folder => {
    expect(reported.filter(line => line.startsWith(`no-cycles ${folder}/o`))).toHaveLength(1)
  })

  it('has a case here for each rule', () => {
    const rules = config.default.forbidden.map(({ name }) => name)
    expect(new Set(rules)).toEqual(new Set(['no-cycles', ...breaks.map(({ rule }) => rule)]))
  })

  it('fails npm run lint', () => {
    expect(scripts['lint']).toContain(` && depcruise ${CRUISE_ARGUMENTS.join(' ')} && `)
    const { status, stdout } = spawnSync(process.execPath, [...CRUISE_PROGRAM], { cwd: checkout.folder, encoding: 'utf8' })
    expect(status).toBeGreaterThan(0)
    expect(stdout).toMatch(/error imports-of-invocation/)
  })
})
