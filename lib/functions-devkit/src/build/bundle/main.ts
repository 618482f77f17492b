import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ProjectFileError } from '../../../../doctl-project-schema/src/index.ts'
import { applicationFolderAt } from '../../application-folder.ts'
import { command } from '../../cli/options/bundle.ts'
import { builtFunctions } from '../built-functions.ts'
import { watchBundles } from '../watch/watch.ts'
import { bundle } from './bundle.ts'
import { ABSENT, PARTS, STAND_INS } from './taken-out.ts'

// What build.sh runs: bundles every function that project.yml names. `npm run build` proves what this makes.

const values = command.readOrExit()
// build.sh runs this in its own folder, also for tests whose application is another.
const checkout = applicationFolderAt(process.cwd())
const options = {
  checkout,
  parts: PARTS,
  absent: ABSENT,
  standIns: STAND_INS,
  ...(values.readable === undefined ? {} : { readable: true, outdir: resolve(values.readable) }),
}

if (values.watch !== undefined) await watchBundles({ ...options, entries }, resolve(values.watch))
else {
  // What is wrong esbuild has printed by itself.
  const metafile = await bundle({ ...options, entries: entries() }).catch(() => process.exit(1))
  if (values.metafile !== undefined) writeFileSync(values.metafile, JSON.stringify(metafile))
}

function entries(): string[] {
  return namesIn(readFileSync(join(checkout, 'project.yml'), 'utf8')).map(name => `packages/${name}/index.ts`)
}

/** Returns `package/function` for each function of the text. */
function namesIn(text: string): string[] {
  try {
    return builtFunctions(text).map(({ qualifiedName }) => qualifiedName)
  } catch (error) {
    if (!(error instanceof ProjectFileError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  }
}
