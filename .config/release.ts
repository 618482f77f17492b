// Records a version for `npm run upgrade`. The record is what copies of the version are merged against, so it has to be of the files
// that the tag has.
import { resolve } from 'node:path'
import { defineCommand } from '../lib/functions-devkit/src/cli/define-command.ts'
import { recordVersion, unrecordedFiles } from '../lib/functions-devkit/src/upgrade/release.ts'

const version = defineCommand({
  usage: `usage: node .config/release.ts [<version>]

  With a version, such as 1.2.0, records these files as that version: the last step before its tag.
  Without one, lists the files that are not as recorded.

Exit status: 0 recorded or as recorded, 1 other files, 2 wrong usage.`,
  takesWords: true,
  read({ words: [one, ...more] }) {
    if (more.length > 0) throw new Error('One version is enough')
    return one
  },
}).readOrExit()
const folder = resolve(import.meta.dirname, '..')

if (version === undefined) {
  const paths = unrecordedFiles(folder)
  process.stdout.write(`${paths.length === 0 ? 'The record is of these files' : ['The record is of other files:', ...paths].join('\n  ')}\n`)
  process.exitCode = paths.length === 0 ? 0 : 1
} else {
  process.stdout.write(`Recorded ${recordVersion(folder, version)} files as version ${version}\n`)
}
