import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { describeProblems, describeProofs } from './describe.ts'
import { buildBundles, checkProject, proveBundles, recordProofs, StepFailedError } from './pipeline.ts'
import { readSizes, SIZES_FILE } from './sizes.ts'

// `npm run build`: check, build, prove.

const USAGE = `usage: npm run build [-- --record]

  --record   write down what the bundles are made of now, to compare with later (${SIZES_FILE})
`

process.exitCode = await build(resolve(import.meta.dirname, '../..'), process.argv.slice(2))

/** 0: every function may be deployed, 1: something is in the way, 2: wrong usage. */
async function build(checkout: string, args: readonly string[]): Promise<0 | 1 | 2> {
  const options = readOptions(args)
  if (options === undefined) return 2
  try {
    await checkProject(checkout)
    const proofs = await proveBundles({ checkout, metafile: await buildBundles(checkout) })
    process.stdout.write(describeProofs(proofs, readSizes(join(checkout, SIZES_FILE))))
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

function readOptions(args: readonly string[]): { readonly record: boolean } | undefined {
  try {
    const { values } = parseArgs({ args: [...args], options: { record: { type: 'boolean', default: false } } })
    return values
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}`)
    return undefined
  }
}
