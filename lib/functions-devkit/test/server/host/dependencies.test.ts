import { readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../../../../..')
const dependenciesOf = (file: string) =>
  Object.keys((JSON.parse(readFileSync(join(ROOT, file), 'utf8')) as { dependencies: Record<string, string> }).dependencies)

// A platform that builds an image takes the development dependencies out of it before it runs anything.
test('npm run serve needs nothing that only development installs', async () => {
  const { metafile } = await build({
    entryPoints: [join(ROOT, 'lib/functions-devkit/src/server/serve.ts')],
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node24',
    write: false,
    metafile: true,
    logLevel: 'silent',
    outdir: 'none',
  })
  const imported = Object.values(metafile.inputs).flatMap(({ imports }) => imports.filter(one => one.external === true).map(({ path }) => path))
  const packages = new Set(
    imported.filter(path => !path.startsWith('node:') && !builtinModules.includes(path)).map(path => /^(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? path),
  )
  expect(packages).toContain('croner')
  const installed = [...dependenciesOf('package.json'), ...dependenciesOf('lib/doctl-project-schema/package.json')]
  expect([...packages].filter(name => !installed.includes(name))).toEqual([])
  // The Node that runs it is one of them, whatever the machine has.
  expect(installed).toContain('node')
})
