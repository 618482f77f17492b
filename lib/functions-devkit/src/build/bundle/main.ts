import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { bundle, watch } from './bundle.ts'

// What build.sh runs, with what is taken out of the bundles and why; `npm run build` proves what this makes.

const { values, positionals: entries } = parseArgs({
  allowPositionals: true,
  options: {
    // A package that is not in the bundle, nor beside it.
    absent: { type: 'string', multiple: true, default: [] },
    // A package that gets a file of its own, which is read when it is first asked for; `package=own.cjs`: which begins with ours.
    part: { type: 'string', multiple: true, default: [] },
    // `package/file.js=own.cjs`: a file of ours that takes the place of a package's.
    'stand-in': { type: 'string', multiple: true, default: [] },
    // Where to write what each bundle is made of.
    metafile: { type: 'string' },
    // A folder for bundles that can be read; those that are deployed stay as they are.
    readable: { type: 'string' },
    // Goes on until standard input closes, and builds what changes.
    watch: { type: 'boolean', default: false },
  },
})

const options = {
  checkout: resolve(import.meta.dirname, '../../../../..'),
  entries,
  parts: values.part,
  absent: values.absent,
  standIns: values['stand-in'],
  ...(values.readable === undefined ? {} : { readable: true, outdir: resolve(values.readable) }),
}

if (values.watch) {
  const watching = await watch(options)
  process.stdin.resume().once('end', () => void watching.end())
} else {
  // What is wrong esbuild has printed by itself.
  const metafile = await bundle(options).catch(() => process.exit(1))
  if (values.metafile !== undefined) writeFileSync(values.metafile, JSON.stringify(metafile))
}
