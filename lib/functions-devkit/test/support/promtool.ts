import { spawnSync } from 'node:child_process'

const PROGRAM = 'promtool'

/** Whether Prometheus' own checker is installed; a run on a build machine must have it. */
export function hasPromtool(): boolean {
  const found = spawnSync(PROGRAM, ['--version']).status === 0
  if (!found && process.env.CI) throw new Error('promtool is not installed: its tests cannot be left out here')
  if (!found)
    console.warn('SKIPPED: what Prometheus thinks of the metrics, because promtool is not installed (Debian and Ubuntu: apt-get install prometheus)')
  return found
}

/** What it finds wrong with a text of metrics; nothing when all is well. */
export function metricProblems(text: string): string {
  const { stdout, stderr, status } = spawnSync(PROGRAM, ['check', 'metrics'], { input: text, encoding: 'utf8' })
  return status === 0 ? `${stdout}${stderr}` : `exit status ${status}: ${stdout}${stderr}`
}
