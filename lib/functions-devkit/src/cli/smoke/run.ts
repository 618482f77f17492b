import { asLine } from '../../../../functions-runtime/src/foreign-text.ts'
import { CheckError } from './call.ts'
import { CheckWarning, type Check } from './checklist.ts'

// Characters. Some of it is what the deployment answered.
const LONGEST_DETAIL = 500

export interface CheckResult {
  readonly name: string
  readonly outcome: 'ok' | 'warn' | 'fail'
  readonly detail: string
}

/** Runs the checks one after the other, whatever becomes of each, and prints each result as it comes. */
export async function runChecks(checks: readonly Check[], print: (line: string) => void): Promise<readonly CheckResult[]> {
  const width = Math.max(...checks.map(({ name }) => name.length))
  const results: CheckResult[] = []
  for (const check of checks) {
    const result = await runCheck(check)
    results.push(result)
    print(`${result.outcome.padEnd(4)}  ${result.name.padEnd(width)}  ${asLine(result.detail, { maxLength: LONGEST_DETAIL })}`)
  }
  return results
}

async function runCheck({ name, run }: Check): Promise<CheckResult> {
  try {
    return { name, outcome: 'ok', detail: await run() }
  } catch (error) {
    if (!(error instanceof CheckError)) throw error
    return { name, outcome: error instanceof CheckWarning ? 'warn' : 'fail', detail: error.message }
  }
}
