import { spawnSync } from 'node:child_process'
import { environmentOf } from './checkout.ts'

/**
 * Bundles the functions of a checkout that is no whole project, past the check that a deployment makes first.
 * @throws Error when one cannot be bundled; what is wrong is printed
 */
export function bundleFunctions(checkout: string): void {
  const { status, error } = spawnSync('./build.sh', { cwd: checkout, env: environmentOf(checkout), stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) throw new Error(`build.sh ended with ${status}`, { cause: error })
}
