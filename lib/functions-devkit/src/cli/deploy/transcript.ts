import type { DoctlResult } from '../doctl/doctl.ts'
import { errorsOf, linesOf, withoutErrors } from '../doctl/reason.ts'

/** What a deployment printed that its user must see. */
export interface Transcript {
  /** The output of a build that failed inside the deployer, then warnings, then every error. */
  readonly lines: readonly string[]
  readonly failed: boolean
}

const BUILD_OUTPUT = /^Output of failed build in /
const WARNING = /^Warning\b|^Skipped \d+ triggers|- Skipped/i

/** Returns what doctl printed about problems of one deployment. */
export function transcriptOf(result: DoctlResult): Transcript {
  const printed = withoutErrors(result.stdout)
    .split('\n')
    .map(line => line.trimEnd())
  const build = printed.findIndex(line => BUILD_OUTPUT.test(line))
  // A failed build ends the deployment: the rest of the text is its output.
  const output = build === -1 ? [] : printed.slice(build).filter(line => line !== '')
  const warnings = (build === -1 ? printed : printed.slice(0, build)).filter(line => WARNING.test(line.trim()))
  const errors = errorsOf(result)
  // A crash of doctl itself has no such line.
  const unexplained = result.status !== 0 && errors.length === 0 ? linesOf(result.stderr) : []
  return {
    lines: [...output, ...warnings.map(line => line.trim()), ...errors.map(line => `Error: ${line}`), ...unexplained],
    failed: result.status !== 0 || errors.length > 0,
  }
}
