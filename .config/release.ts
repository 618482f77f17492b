// Records a version for `npm run upgrade`: `node .config/release.ts 1.2.0` as the last step before its tag. The record is what copies
// of the version are merged against, so it has to be of the files that the tag has. `node .config/release.ts` says what is not.
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { recordVersion, unrecordedFiles } from '../lib/functions-devkit/src/upgrade/release.ts'

const folder = resolve(import.meta.dirname, '..')
const [version] = parseArgs({ allowPositionals: true }).positionals

if (version === undefined) {
  const paths = unrecordedFiles(folder)
  process.stdout.write(`${paths.length === 0 ? 'The record is of these files' : ['The record is of other files:', ...paths].join('\n  ')}\n`)
  process.exitCode = paths.length === 0 ? 0 : 1
} else {
  process.stdout.write(`Recorded ${recordVersion(folder, version)} files as version ${version}\n`)
}
