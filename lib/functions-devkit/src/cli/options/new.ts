import { defineCommand } from '../define-command.ts'

/** What each kind takes besides its name. */
const TAKES: Readonly<Record<Kind, readonly string[]>> = {
  function: ['schedule'],
  table: [],
  sender: ['scheme'],
  setting: ['meaning', 'default'],
}

export type Kind = 'function' | 'table' | 'sender' | 'setting'

const TEXT = { type: 'string' } as const

export const command = defineCommand({
  usage: `usage: npm run new -- function <name> [--schedule "<cron>"]
       npm run new -- table <name>
       npm run new -- sender <name> [--scheme <scheme>]
       npm run new -- setting <name> [--meaning <text>] [--default <text>]

  function   packages/<package>/<function>/index.ts, in the package api unless the name is <package>/<function>;
             with --schedule, five fields in UTC, a private one that the platform invokes
  table      lib/app/tables/<name>.ts: model, migration and retention
  sender     lib/app/webhooks/sources/<name>.ts: scheme, secret and a handler; the scheme is standard unless said
  setting    lib/app/settings/<name>.ts: a variable, what it means and its default, a text or a whole number

Each comes with a test. A name may have several words. Then npm run sync runs.
Exit status: 0 written, 1 written but npm run sync is not possible, 2 nothing written.`,
  options: { schedule: TEXT, scheme: TEXT, meaning: TEXT, default: TEXT },
  takesWords: true,
  read({ values, words: [kind = '', ...words] }) {
    if (!isKind(kind)) throw new Error(kind === '' ? '' : `There is no kind ${kind}`)
    const foreign = Object.keys(values).filter(option => !TAKES[kind].includes(option))
    if (foreign.length > 0) throw new Error(`A ${kind} takes no --${foreign.join(', --')}`)
    if (words.length === 0) throw new Error(`A ${kind} needs a name`)
    return { kind, words, values }
  },
})

function isKind(kind: string): kind is Kind {
  return Object.hasOwn(TAKES, kind)
}
