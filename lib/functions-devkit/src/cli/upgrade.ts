import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { APPLICATION_FOLDER } from '../application-folder.ts'
import { inWords, report } from '../server/report.ts'
import { command } from './options/upgrade.ts'
import { applyChanges, BACKUPS } from '../upgrade/apply.ts'
import { followUpOf } from '../upgrade/follow-up.ts'
import { changesOf, offeredOf, scriptsOf } from '../upgrade/plan.ts'
import { prepareUpgrade } from '../upgrade/prepare.ts'
import { describeUpgrade } from '../upgrade/report.ts'
import { readStandingFile, textOf } from '../upgrade/tree.ts'
import { lastBackup, undoUpgrade } from '../upgrade/undo.ts'

// `npm run upgrade`: takes the next version of the framework. Everything that is used is loaded before the first file is written,
// because the upgrade replaces this program, too.

const options = command.readOrExit()
const folder = APPLICATION_FOLDER

try {
  process.exitCode = await run(options)
} catch (error) {
  report(inWords(error))
  process.exitCode = 2
}

async function run({ undo, from, source, base, 'dry-run': isDry }: typeof options): Promise<0 | 1> {
  if (undo) return undoLast()
  return upgrade({ folder, from, source, base }, isDry)
}

async function upgrade(options: Parameters<typeof prepareUpgrade>[0], isDry: boolean): Promise<0 | 1> {
  const prepared = await prepareUpgrade(options)
  const { plan, from, to, next, record } = prepared
  const planned = changesOf(plan)
  const hasConflicts = [...plan.values()].some(({ outcome }) => outcome === 'conflict')
  if (from === to && planned.size === 0 && !hasConflicts) return print([`${to} is here already: nothing changes`])
  print(describeUpgrade(prepared))
  if (isDry) {
    print(['', 'Nothing is changed.'])
    return hasConflicts ? 1 : 0
  }
  const changes = new Map([...planned, ...record])
  const manifest = changes.get('package.json') ?? standing('package.json')
  const followUp = followUpOf({ plan, changes: planned, before: standing, scripts: scriptsOf(textOf(manifest)) })
  const offered = offeredOf(plan, next)
  const backup = applyChanges({
    folder,
    versions: { from, to },
    changes,
    offered,
    onReady: (_, program) => print(['', `If this is cut off: ${nodeProgram()} ${relative(folder, program)}`]),
  })
  print([`Every changed file is in ${relative(folder, backup)}/before as it was; npm run upgrade -- --undo brings all of them back.`])
  if (offered.size > 0) print([`The new version of files that stay as they are: ${relative(folder, backup)}/offered`])
  const failed = followUp.now.findIndex(command => !succeeds(command))
  const rest = failed === -1 ? [] : [`${followUp.now[failed]} failed: mend what it names, and run it again`, ...followUp.now.slice(failed + 1)]
  print(['', 'Next:', ...[...rest, ...followUp.steps].map(step => `  ${step}`)])
  return hasConflicts || failed !== -1 ? 1 : 0
}

function undoLast(): 0 {
  const backup = lastBackup(join(folder, BACKUPS))
  if (backup === undefined) throw new Error(`There is no upgrade to undo in ${BACKUPS}`)
  const { from, to, paths } = undoUpgrade(backup, folder)
  return print([
    `Undone: ${paths.length} files are as they were before the upgrade from ${from} to ${to}.`,
    `What they held until now is in ${relative(folder, join(backup, 'undone'))}.`,
    '',
    'Next:',
    '  npm install',
  ])
}

function standing(path: string) {
  const file = join(folder, path)
  return existsSync(file) ? readStandingFile(file) : undefined
}

function succeeds(command: string): boolean {
  print(['', command])
  const [program = '', ...args] = command.split(' ')
  return spawnSync(program, args, { cwd: folder, stdio: 'inherit' }).status === 0
}

/** The Node that runs this, as a person would call it. */
function nodeProgram(): string {
  const path = relative(folder, process.execPath)
  return path.startsWith('..') ? process.execPath : path
}

function print(lines: readonly string[]): 0 {
  for (const line of lines) console.log(line)
  return 0
}
