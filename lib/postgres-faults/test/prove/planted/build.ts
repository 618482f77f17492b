import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { buildParts, common, partsOf, type BundleOptions, type Parts } from '../../../../functions-devkit/src/build/bundle/bundle.ts'
import { ABSENT, PARTS, STAND_INS } from '../../../../functions-devkit/src/build/bundle/taken-out.ts'
import { APPLICATION_FOLDER, REPOSITORY } from '../../../../functions-devkit/test/support/tested-application.ts'

/** A text of one source file, which is there once, and what stands in its place in a bundle. */
export interface Mutation {
  /** From the root of the repository. */
  readonly file: string
  readonly text: string
  readonly by: string
}

/** The functions that scenarios call: those of the tests' application, and an API with idempotency keys. */
export const ENTRIES = {
  webhook: join(APPLICATION_FOLDER, 'packages/api/webhook/index.ts'),
  maintenance: join(APPLICATION_FOLDER, 'packages/ops/maintenance/index.ts'),
  user: join(APPLICATION_FOLDER, 'packages/api/user/index.ts'),
  health: join(APPLICATION_FOLDER, 'packages/api/health/index.ts'),
  orders: join(REPOSITORY, 'lib/functions-runtime/test/support/orders.ts'),
} as const

export type FunctionName = keyof typeof ENTRIES
export const FUNCTIONS = Object.keys(ENTRIES) as readonly FunctionName[]

const OPTIONS: BundleOptions = { checkout: REPOSITORY, entries: [], parts: PARTS, absent: ABSENT, standIns: STAND_INS, readable: true }

let parts: Promise<Parts> | undefined

/**
 * Bundles functions into a folder, each as `<name>/index.js`, with the mutations in their sources.
 * @throws Error when a mutation has no place, or more than one.
 */
export async function buildFunctions(names: readonly FunctionName[], mutations: readonly Mutation[], folder: string): Promise<void> {
  const shared = common(OPTIONS)
  const placed = await (parts ??= buildParts(OPTIONS))
  const { metafile } = await build({
    ...shared,
    entryPoints: names.map(name => ({ in: ENTRIES[name], out: `${name}/index` })),
    outdir: folder,
    logLevel: 'silent',
    plugins: [mutate(mutations), ...shared.plugins],
  })
  for (const [path, part] of partsOf(metafile, placed)) {
    mkdirSync(dirname(join(REPOSITORY, path)), { recursive: true })
    writeFileSync(join(REPOSITORY, path), part.contents)
  }
}

function mutate(mutations: readonly Mutation[]): Plugin {
  const unplanted = new Set(mutations.map(({ file }) => file))
  return {
    name: 'mutate',
    setup(building) {
      for (const [file, of] of Map.groupBy(mutations, mutation => mutation.file)) {
        building.onLoad({ filter: new RegExp(`/${file.replaceAll(/[^\w/]/g, '\\$&')}$`) }, ({ path }) => {
          unplanted.delete(file)
          return { contents: of.reduce(replaceOnce, readFileSync(path, 'utf8')), loader: 'ts' }
        })
      }
      building.onEnd(({ errors }) => {
        if (errors.length === 0 && unplanted.size > 0) throw new Error(`No function contains ${[...unplanted].join(', ')}: plant the bug elsewhere`)
      })
    },
  }
}

function replaceOnce(source: string, { file, text, by }: Mutation): string {
  const pieces = source.split(text)
  if (pieces.length !== 2) throw new Error(`${file} has this text ${pieces.length - 1} times instead of once, plant the bug anew: ${text}`)
  return pieces.join(by)
}
