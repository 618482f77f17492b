import { defineCommand } from '../define-command.ts'

const TEXT = { type: 'string' } as const
const FLAG = { type: 'boolean', default: false } as const

export const command = defineCommand({
  usage: `usage: npm run upgrade -- --from <version> [--source <place>] [--base <place>] [--dry-run]
       npm run upgrade -- --undo

  --from      the version to take, such as 1.2.0
  --source    where it is: a folder, a .tar.gz, a .zip, the https URL of an archive or of a repository. Default: the repository
              that lib/framework.json or package.json names
  --base      where the version is that this copy was made from, for a copy whose lib/framework.json is not of that version
  --dry-run   print what would be done, and change nothing
  --undo      bring back every file as it was before the last upgrade

Exit status: 0 done, 1 conflicts are left or a check failed, 2 nothing done.`,
  options: { from: TEXT, source: TEXT, base: TEXT, 'dry-run': FLAG, undo: FLAG },
  read({ values }) {
    if (!values.undo && values.from === undefined && values.source === undefined) throw new Error('Name the version to take: --from <version>')
    return values
  },
})
