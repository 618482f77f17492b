import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeProblems, describeProofs, describeWarnings } from './describe.ts'
import { reportOf } from '../../../doctl-project-schema/src/index.ts'
import { buildBundles, check, proveBundles, recordProofs, StepFailedError } from './pipeline.ts'
import { readSizes, SIZES_FILE } from './sizes.ts'
import { describeWhy, explain } from './why/why.ts'
import { APPLICATION_FOLDER } from '../application-folder.ts'

// `npm run build`: check, build, check what was built, prove.

const USAGE = `usage: npm run build [-- --record] [-- --why <package>/<function>]

  --why      tell where the bytes and the milliseconds of a function are, instead of proving it
  --record   write down what the bundles are made of now, to compare with later (${SIZES_FILE})
`

const BOOLEAN = { type: 'boolean', default: false } as const

process.exitCode = await build(APPLICATION_FOLDER, process.argv.slice(2))

/** 0: every function may be deployed, 1: something is in the way, 2: wrong usage. */
async function build(checkout: string, args: readonly string[]): Promise<0 | 1 | 2> {
  const options = readOptions(args)
  if (options === undefined) return 2
  if (options.help) {
    process.stdout.write(USAGE)
    return 0
  }
  const colour = process.stdout.isTTY && process.stdout.hasColors()
  try {
    const before = await check(checkout, 'before-build')
    // Its warnings can wait: some are about what is built.
    if (before.problems.length > 0) {
      process.stdout.write(reportOf(before, { colour }))
      return 1
    }
    const metafile = await buildBundles(checkout)
    const after = await check(checkout, 'after-build')
    process.stdout.write(reportOf(after, { colour }))
    if (after.problems.length > 0) return 1
    if (options.why !== undefined) {
      process.stdout.write(describeWhy(await explain(checkout, options.why, metafile)))
      return 0
    }
    const proofs = await proveBundles({ checkout, metafile })
    process.stdout.write(describeProofs(proofs, readSizes(join(checkout, SIZES_FILE))) + describeWarnings(proofs))
    const problems = describeProblems(proofs)
    process.stderr.write(problems)
    // The record is what tells which packages have grown: one over its ceiling must not overwrite it.
    if (problems !== '') return 1
    if (options.record) recordProofs(checkout, proofs)
    return 0
  } catch (error) {
    if (!(error instanceof StepFailedError)) throw error
    process.stderr.write(`${error.message}\n`)
    return 1
  }
}

function readOptions(args: readonly string[]): { readonly record: boolean; readonly help: boolean; readonly why?: string | undefined } | undefined {
  try {
    const { values } = parseArgs({ args: [...args], options: { record: BOOLEAN, why: { type: 'string' }, help: { ...BOOLEAN, short: 'h' } } })
    return values
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}`)
    return undefined
  }
}
