import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

/** Builds the functions as `npm run build` does. Ends the process when that fails. */
export function buildFunctions(): void {
  const checkout = join(import.meta.dirname, '../..')
  const launcher = join(checkout, 'lib/functions-devkit/bin/functions-devkit.mjs')
  const { status } = spawnSync(process.execPath, [launcher, 'build'], { cwd: checkout, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
