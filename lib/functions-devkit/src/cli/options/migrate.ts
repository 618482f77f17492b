import { defineCommand } from '../define-command.ts'

const FLAG = { type: 'boolean', default: false } as const
const ON_DATABASE = ['check', 'status', 'up', 'reset'] as const

export type MigrateCommand = { readonly json: boolean } & (
  | { readonly action: 'new'; readonly words: readonly string[]; readonly local?: false }
  | { readonly action: (typeof ON_DATABASE)[number]; readonly local: boolean; readonly allowBreaking: boolean }
)

export const command = defineCommand({
  usage: `usage: npm run migrate -- new <name> [--json]
       npm run migrate -- check [--json]
       npm run migrate -- status [--local] [--json]
       npm run migrate -- up [--allow-breaking] [--local] [--json]
       npm run migrate -- reset [--local] [--json]

  new                writes a dated file for a migration, and its line in the list
  check              applies all of them to a database made for it, and tells what is unsafe
  status             what is applied, pending, or changed since
  up                 applies what is pending
  reset              throws away everything in a database of this machine and builds it anew
  --local            on the database of the npm start that is running, and not on the one of the environment or of .env
  --allow-breaking   also those that the deployed functions cannot live with
  --json             print JSON instead of lines

Exit status: 0 done (status: nothing pending or changed), 1 not done, 2 wrong usage. There is no way down: going back is
a new migration.`,
  options: { local: FLAG, 'allow-breaking': FLAG, json: FLAG },
  takesWords: true,
  read({ values: { local, json, 'allow-breaking': allowBreaking }, words: [action, ...words] }): MigrateCommand {
    if (allowBreaking && action !== 'up') throw new Error('--allow-breaking belongs to up')
    if (action === 'new') {
      if (local) throw new Error('new takes no --local: it writes a file')
      if (words.length === 0) throw new Error('A migration needs a name')
      return { action, words, json }
    }
    const known = ON_DATABASE.find(one => one === action)
    if (known === undefined) throw new Error(action === undefined ? '' : `There is no migrate ${action}`)
    if (words.length > 0) throw new Error(`${known} takes no name`)
    return { action: known, local, allowBreaking, json }
  },
})
