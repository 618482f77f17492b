import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { promisify } from 'node:util'
import { environmentOf } from '../../lib/functions-devkit/test/support/checkout.ts'
import { useNpmStart, type NpmStart } from '../../lib/functions-devkit/test/support/npm-start.ts'
import { REPOSITORY } from '../../lib/functions-devkit/test/support/tested-application.ts'

// What git does not have.
const LOCAL = ['.git', '.local', '.deployed', '.env', '.env.local', 'node_modules']
// These make checkouts themselves.
const OF_CHECKOUTS = ['adding-things', 'remove-sample', 'upgrade'].map(name => `test/repository/${name}.test.ts`)

interface Outcome {
  readonly status: number
  readonly output: string
}

export interface WholeCheckout extends NpmStart {
  /** Runs a program in the checkout. */
  readonly run: (program: string, ...args: string[]) => Promise<Outcome>
  /**
   * Runs what `npm test` runs, and returns what failed. Without `WHOLE_CHECKOUTS` it leaves out the tests of the packages, which
   * have an application of their own, and those of bundles, deployments and storms.
   */
  readonly failures: () => Promise<string[]>
}

/** A copy of the whole repository, in which a test can change everything and run `npm start`. */
export function useWholeCheckout(): WholeCheckout {
  const npmStart = useNpmStart({ paths: readdirSync(REPOSITORY).filter(name => !LOCAL.includes(name)) })

  async function run(program: string, ...args: string[]): Promise<Outcome> {
    const env = { ...environmentOf(npmStart.checkout), LOCAL_DATA_FOLDER: npmStart.data }
    const options = { cwd: npmStart.checkout, env, maxBuffer: 100_000_000 }
    return promisify(execFile)(program, args, options).then(
      ({ stdout, stderr }) => ({ status: 0, output: stdout + stderr }),
      (error: unknown) => {
        const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
        return { status: code, output: stdout + stderr }
      },
    )
  }

  async function failures(): Promise<string[]> {
    const vitest = ['vitest', 'run', '--config', '.config/vitest.config.ts', '--root', '.']
    const others = ['test/{bundle,chaos}/**', 'test/repository/{deploy,disaster,imports}.test.ts']
    const small = ['--project', 'app', '--project', 'deployment', ...others.flatMap(path => ['--exclude', path])]
    const steps: [program: string, ...args: string[]][] = [
      ['tsc'],
      ['eslint', '-c', '.config/eslint.config.js', 'lib/app', 'packages', 'test'],
      ['depcruise', '--config', '.config/dependency-cruiser.js', 'lib', 'packages', 'test'],
      ['prettier', '--check', '--log-level', 'warn', '.'],
      ['node', 'lib/functions-devkit/src/build/command.ts'],
      [...vitest, ...(process.env.WHOLE_CHECKOUTS === undefined ? small : []), ...OF_CHECKOUTS.flatMap(path => ['--exclude', path])] as [string],
    ]
    const failed: string[] = []
    for (const [program, ...args] of steps) {
      const { status, output } = await run(program, ...args)
      if (status !== 0) failed.push(`${program} ended with ${status}: ${output.slice(-5_000)}`)
    }
    return failed
  }

  // Its properties are getters, which a spread would read too early.
  return Object.assign(Object.create(npmStart) as NpmStart, { run, failures })
}
