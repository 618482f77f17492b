import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { inWords, report } from '../server/report.ts'
import { command } from './options/remove-sample.ts'
import { applyRemoval, planRemoval, readSample } from './remove-sample/plan.ts'
import { APPLICATION_FOLDER } from '../application-folder.ts'

// `npm run remove-sample`: leaves an application without users, transactions and activities.

const { force } = command.readOrExit()
const checkout = APPLICATION_FOLDER

try {
  process.exitCode = await removeSample()
} catch (error) {
  report(inWords(error))
  process.exitCode = 2
}

async function removeSample(): Promise<0 | 1> {
  const sample = readSample(checkout)
  if (!force && hasChanges()) throw new Error('There are changes that are not committed. Commit them first, or add -- --force')
  const plan = planRemoval(checkout, sample)
  if (plan.problems.length > 0) {
    report(['Nothing was removed:', ...plan.problems.map(problem => `  ${problem}`)].join('\n'))
    return 1
  }
  const written = await applyRemoval(checkout, plan)
  const formatted = [...plan.changed.keys()].filter(path => path.endsWith('.ts')).map(path => join(checkout, path))
  execFileSync('prettier', ['--write', '--log-level', 'warn', ...formatted], { stdio: 'inherit' })
  const changed = [...new Set([...plan.changed.keys(), ...written])].map(path => `  ${path}`)
  console.log(`Deleted ${plan.deleted.length} files, and changed:\n${changed.join('\n')}`)
  console.log('\nThe chapters of README.md about the sample stay; its tables in databases that have them stay, too.')
  return 0
}

function hasChanges(): boolean {
  if (!existsSync(join(checkout, '.git'))) return false
  return execFileSync('git', ['status', '--porcelain', '--untracked-files=no'], { cwd: checkout, encoding: 'utf8' }).trim() !== ''
}
