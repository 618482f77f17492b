// Builds a workspace for npm: `node build-workspace.mjs index early` in its folder, with the names of its entries. What it
// imports of other workspaces becomes part of it, but for those that it depends on: these are loaded from where they are
// installed, since two copies of them would be two AsyncLocalStorages and two sets of error classes.
// The code is CommonJS. ESM users get wrappers around it: two builds would be two AsyncLocalStorages, and a unit of work
// begun in one would be invisible in the other. A workspace without entries is a program: its tsconfig.build.json may ask for ES
// modules, which need no wrapper.
import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, extname, join } from 'node:path'
import process from 'node:process'

const entries = process.argv.slice(2)
const folder = process.cwd()
const dist = join(folder, 'dist')
// Sources of other workspaces are compiled too, so each keeps its place below lib/.
const compiled = `./${basename(folder)}/src`
const isCommonJs = entries.length > 0
const require = createRequire(import.meta.url)

rmSync(dist, { recursive: true, force: true })
const { status } = spawnSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', 'tsconfig.build.json'], { stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)

// What needs no compiler keeps its place.
cpSync(join(folder, 'src'), join(dist, compiled), { recursive: true, filter: path => statSync(path).isDirectory() || extname(path) !== '.ts' })

// The workspace itself is ESM, for its sources.
if (isCommonJs) write('package.json', JSON.stringify({ type: 'commonjs' }))
for (const entry of entries) {
  const names = Object.keys(require(join(dist, compiled, `${entry}.js`)))
  write(`${entry}.mjs`, [`import built from '${compiled}/${entry}.js'`, '', ...names.map(name => `export const ${name} = built.${name}`)].join('\n'))
  write(`${entry}.js`, `module.exports = require('${compiled}/${entry}.js')`)
  for (const declaration of [`${entry}.d.mts`, `${entry}.d.ts`]) write(declaration, `export * from '${compiled}/${entry}.js'`)
}

const { dependencies = {}, peerDependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
for (const other of readdirSync(dist)) {
  // `invocation` has become part of `resilient-sequelize`.
  const home = other === 'invocation' ? 'resilient-sequelize' : other
  if (!(home in dependencies) && !(home in peerDependencies)) continue
  const files = readdirSync(join(dist, other), { recursive: true }).map(file => join(other, file).replaceAll('\\', '/'))
  for (const file of files.filter(name => name.endsWith('.js') || name.endsWith('.d.ts'))) {
    const place = `${home}/internal/${file.replace(/\.d\.ts$|\.js$/, '')}.js`
    write(file, file.endsWith('.js') && isCommonJs ? `module.exports = require('${place}')` : `export * from '${place}'`)
  }
}

function write(name, text) {
  writeFileSync(join(dist, name), `${text}\n`)
}
