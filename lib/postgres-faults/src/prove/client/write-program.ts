import { extname, join } from 'node:path'
import { buildSync } from 'esbuild'

/** Writes the program of a client as one CommonJS file, which starts in half the time of its sources. */
export function writeProgram(file: string): string {
  buildSync({
    entryPoints: [join(import.meta.dirname, `program${extname(import.meta.filename)}`)],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    logLevel: 'silent',
  })
  return file
}
