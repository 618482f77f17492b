import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { command } from '../cli/options/build.ts'
import { createProgress, NO_PROGRESS } from '../cli/progress.ts'
import { builtFunctions } from './built-functions.ts'
import { describeProblems, describeProofs, describeWarnings } from './describe.ts'
import { reportOf } from '../../../doctl-project-schema/src/index.ts'
import { buildBundles, check, proveBundles, recordProofs, StepFailedError } from './pipeline.ts'
import { readSizes, SIZES_FILE } from './sizes.ts'
import { describeWhy, explain, requireFunction } from './why/why.ts'
import { APPLICATION_FOLDER } from '../application-folder.ts'

// `npm run build`: check, build, check what was built, prove.

const options = command.readOrExit()
const progress = options.quiet ? NO_PROGRESS : createProgress()

try {
  process.exitCode = await build(APPLICATION_FOLDER, options)
} finally {
  progress.end()
}

/** 0: every function may be deployed, 1: something is in the way. */
async function build(checkout: string, { record, why }: typeof options): Promise<0 | 1> {
  const colour = process.stdout.isTTY && process.stdout.hasColors()
  const print = (text: string) => progress.above(() => process.stdout.write(text))
  try {
    progress.step('checking project.yml')
    const before = await check(checkout, 'before-build')
    // Its warnings can wait: some are about what is built.
    if (before.problems.length > 0) {
      print(reportOf(before, { colour }))
      return 1
    }
    const names = builtFunctions(readFileSync(join(checkout, 'project.yml'), 'utf8')).map(({ qualifiedName }) => qualifiedName)
    if (why !== undefined) requireFunction(why, names)
    progress.line(`building ${names.length} function${names.length === 1 ? '' : 's'}`)
    const metafile = await buildBundles(checkout)
    progress.step('checking what was built')
    const after = await check(checkout, 'after-build')
    print(reportOf(after, { colour }))
    if (after.problems.length > 0) return 1
    if (why !== undefined) {
      progress.step(`timing what ${why} loads`)
      print(describeWhy(await explain(checkout, why, metafile)))
      return 0
    }
    const proofs = await proveBundles({ checkout, metafile, onStart: (name, at) => progress.step(`proving ${name} (${at} of ${names.length})`) })
    print(describeProofs(proofs, readSizes(join(checkout, SIZES_FILE))) + describeWarnings(proofs))
    const problems = describeProblems(proofs)
    progress.above(() => process.stderr.write(problems))
    // The record is what tells which packages have grown: one over its ceiling must not overwrite it.
    if (problems !== '') return 1
    if (record) recordProofs(checkout, proofs)
    return 0
  } catch (error) {
    if (!(error instanceof StepFailedError)) throw error
    progress.above(() => process.stderr.write(`${error.message}\n`))
    return 1
  }
}
