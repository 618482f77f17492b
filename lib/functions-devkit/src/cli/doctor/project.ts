import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { check as checkProject } from '../../build/pipeline.ts'
import type { Environment } from '../../../../functions-runtime/src/settings/settings.ts'
import { functionsOf, parseProject, type Warning } from '../../../../doctl-project-schema/src/index.ts'
import { findingsOf, type Finding } from './finding.ts'
import { SilenceError, within } from './within.ts'

const MOST_TRIGGERS = 3
const BUILD_MS = 14_000

/** Holds project.yml and the folders to what the deployer makes of them with these variables; schedules have a line of their own. */
export async function checkTree(checkout: string, variables: Environment, moreWarnings: readonly Warning[]): Promise<Finding[]> {
  const project = findingsOf('project')
  const schedules = findingsOf('schedules')
  const { problems, warnings } = await checkProject(checkout, 'before-build', { env: variables, moreWarnings })
  const findings = [
    ...problems.map(({ file, line, path, code, reason, fix }) =>
      (/^(cron|trigger|too-many-triggers|duplicate-trigger|details|enabled|body)/.test(code) ? schedules : project).fail(
        `${file}${line === undefined ? '' : `:${line}`}${path ? ` ${path}` : ''}: ${reason}`,
        fix,
      ),
    ),
    ...warnings.map(({ file, reason, fix, name }) => project.warn(`${file}: ${reason} (${name})`, fix)),
  ]
  if (problems.length > 0) return findings
  const functions = functionsOf(parseProject(readFileSync(join(checkout, 'project.yml'), 'utf8'), variables))
  const all = functions.flatMap(({ triggers }) => triggers)
  const off = all.filter(({ enabled }) => !enabled).map(({ name }) => name)
  return [
    ...findings,
    ...(warnings.length > 0 ? [] : [project.ok(`project.yml and folders are sound, with ${functions.length} functions`)]),
    off.length > 0
      ? schedules.warn(`switched off: ${off.join(', ')}`, 'write enabled: true in project.yml, unless that is meant')
      : schedules.ok(`${all.length} of at most ${MOST_TRIGGERS}, each with a cron that the platform takes`),
  ]
}

/** Builds and proves the bundles, and compares them with their ceilings. */
export async function checkBuild(checkout: string): Promise<Finding[]> {
  const build = findingsOf('build')
  // A group of its own, so that what it starts ends with it.
  const child = spawn(process.execPath, [join(import.meta.dirname, `../../build/command${extname(import.meta.filename)}`), '--quiet'], {
    cwd: checkout,
    env: { ...process.env, APPLICATION_FOLDER: checkout },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const ended = new Promise<number>((resolve, reject) => child.once('close', code => resolve(code ?? 1)).once('error', reject))
  try {
    const [status, stdout, stderr] = await within(BUILD_MS, Promise.all([ended, text(child.stdout), text(child.stderr)]))
    if (status !== 0) return [build.fail((stderr.trim() || stdout.trim()).split('\n')[0] || 'it fails', 'npm run build shows all of it')]
    const large = [...stdout.matchAll(/^warning (\S+ has \d+ bytes.*)\. Make it smaller/gm)].map(([, reason = '']) => reason)
    if (large.length === 0) return [build.ok('every bundle builds, loads and has its variables')]
    return large.map(reason =>
      build.warn(reason, 'npm run build -- --why <package>/<function> shows its bytes; a ceiling of its own ends the warning'),
    )
  } catch (error) {
    if (!(error instanceof SilenceError)) throw error
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    return [build.warn(`has not ended in ${BUILD_MS / 1000} s`, 'npm run build takes the time it needs')]
  }
}
