import { join } from 'node:path'
import { build } from 'esbuild'
import { zipSync } from 'fflate'
import { packZip } from '../../../lib/functions-devkit/test/support/platform/pack-function.ts'

const ROOT = join(import.meta.dirname, '../../..')

/** A function of the project, from the bundle that the build made of it. */
export function packOurs(name: string): Promise<Buffer> {
  return packZip(ROOT, name)
}

/** A function of the bench, bundled with the options of `build.sh`, which keeps its own. */
export async function packBench(name: string, folder = join(import.meta.dirname, 'functions')): Promise<Buffer> {
  const { outputFiles } = await build({
    entryPoints: [join(folder, `${name}.ts`)],
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    minify: true,
    keepNames: true,
    external: ['pg-native', 'pg-hstore'],
    write: false,
    logLevel: 'warning',
  })
  return Buffer.from(
    zipSync({ 'package.json': Buffer.from('{"type":"commonjs","main":"index.js"}'), 'index.js': outputFiles[0]?.contents ?? Buffer.of() }),
  )
}
