import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { extname, join } from 'node:path'
import { APPLICATION_FOLDER } from '../application-folder.ts'
import { scaffoldFunction } from '../new/function.ts'
import type { Scaffold, ScaffoldOptions } from '../new/scaffold.ts'
import { scaffoldSender } from '../new/sender.ts'
import { scaffoldSetting } from '../new/setting.ts'
import { scaffoldTable } from '../new/table.ts'
import { report } from '../server/report.ts'
import { command, type Kind } from './options/new.ts'
import { writeFiles } from '../sync/sync.ts'

// `npm run new`: writes a function, a table, a sender or a setting, each with a test.

type Values = ReturnType<typeof command.parse>['values']

const SCAFFOLDS: Readonly<Record<Kind, (options: ScaffoldOptions, values: Values) => Scaffold>> = {
  function: (options, { schedule }) => scaffoldFunction({ ...options, cron: schedule }),
  table: options => scaffoldTable(options),
  sender: (options, { scheme }) => scaffoldSender({ ...options, scheme }),
  setting: (options, values) => scaffoldSetting({ ...options, meaning: values.meaning, fallback: values.default }),
}

process.exitCode = write(APPLICATION_FOLDER, command.readOrExit())

function write(application: string, { kind, words, values }: ReturnType<typeof command.parse>): 0 | 1 | 2 {
  try {
    const withTest = existsSync(join(application, 'lib/functions-devkit/test/support/functions.ts'))
    const { files, next } = SCAFFOLDS[kind]({ application, words, withTest }, values)
    const present = Object.keys(files).find(path => existsSync(join(application, path)))
    if (present !== undefined) throw new Error(`${present} is there already. Choose another name`)
    writeFiles(application, new Map(Object.entries(files)))
    format(application, Object.keys(files))
    for (const path of Object.keys(files)) console.log(`written: ${path}`)
    const synced = sync(application)
    for (const sentence of next) console.log(`next: ${sentence}`)
    return synced ? 0 : 1
  } catch (error) {
    report((error as Error).message)
    return 2
  }
}

// In the application's own style, if it has one.
function format(application: string, paths: readonly string[]): void {
  const prettier = join(application, 'node_modules/.bin/prettier')
  if (existsSync(prettier)) spawnSync(prettier, ['--write', '--log-level', 'warn', ...paths], { cwd: application, stdio: 'inherit' })
}

function sync(application: string): boolean {
  const program = join(import.meta.dirname, `sync${extname(import.meta.filename)}`)
  return (
    spawnSync(process.execPath, [program], { cwd: application, env: { ...process.env, APPLICATION_FOLDER: application }, stdio: 'inherit' })
      .status === 0
  )
}
