import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { extname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { APPLICATION_FOLDER } from '../application-folder.ts'
import { scaffoldFunction } from '../new/function.ts'
import type { Scaffold, ScaffoldOptions } from '../new/scaffold.ts'
import { scaffoldSender } from '../new/sender.ts'
import { scaffoldSetting } from '../new/setting.ts'
import { scaffoldTable } from '../new/table.ts'
import { report } from '../server/report.ts'
import { writeFiles } from '../sync/sync.ts'

// `npm run new`: writes a function, a table, a sender or a setting, each with a test.

const USAGE = `usage: npm run new -- function <name> [--schedule "<cron>"]
       npm run new -- table <name>
       npm run new -- sender <name> [--scheme <scheme>]
       npm run new -- setting <name> [--meaning <text>] [--default <text>]

  function   packages/<package>/<function>/index.ts, in the package api unless the name is <package>/<function>;
             with --schedule, five fields in UTC, a private one that the platform invokes
  table      lib/app/tables/<name>.ts: model, migration and retention
  sender     lib/app/webhooks/sources/<name>.ts: scheme, secret and a handler; the scheme is standard unless said
  setting    lib/app/settings/<name>.ts: a variable, what it means and its default, a text or a whole number

Each comes with a test. A name may have several words. Then npm run sync runs.
Exit status: 0 written, 1 written but npm run sync is not possible, 2 nothing written.
`

const OPTIONS = {
  schedule: { type: 'string' },
  scheme: { type: 'string' },
  meaning: { type: 'string' },
  default: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values']

/** What each kind takes, and writes. */
const KINDS: Readonly<
  Record<string, { readonly takes: readonly (keyof Values)[]; readonly scaffold: (options: ScaffoldOptions, values: Values) => Scaffold }>
> = {
  function: { takes: ['schedule'], scaffold: (options, values) => scaffoldFunction({ ...options, cron: values.schedule }) },
  table: { takes: [], scaffold: options => scaffoldTable(options) },
  sender: { takes: ['scheme'], scaffold: (options, values) => scaffoldSender({ ...options, scheme: values.scheme }) },
  setting: {
    takes: ['meaning', 'default'],
    scaffold: (options, values) => scaffoldSetting({ ...options, meaning: values.meaning, fallback: values.default }),
  },
}

process.exitCode = write(APPLICATION_FOLDER, process.argv.slice(2))

function write(application: string, args: readonly string[]): 0 | 1 | 2 {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
    if (values.help === true) {
      process.stdout.write(USAGE)
      return 0
    }
    const [kind = '', ...words] = positionals
    const { takes, scaffold } = KINDS[Object.hasOwn(KINDS, kind) ? kind : ''] ?? {}
    const foreign = Object.keys(values).filter(option => !takes?.includes(option as keyof Values))
    if (takes === undefined || scaffold === undefined || words.length === 0 || foreign.length > 0) {
      if (takes !== undefined && foreign.length > 0) report(`A ${kind} takes no --${foreign.join(', --')}`)
      process.stderr.write(USAGE)
      return 2
    }
    const withTest = existsSync(join(application, 'lib/functions-devkit/test/support/functions.ts'))
    const { files, next } = scaffold({ application, words, withTest }, values)
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
