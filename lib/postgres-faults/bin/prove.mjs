#!/usr/bin/env node
import { existsSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath, URL } from 'node:url'

// A checkout runs the sources. The package has only what was built of them.
const sources = new URL('../src/prove/options.ts', import.meta.url)
const isCheckout = existsSync(fileURLToPath(sources))
const fileOf = name => new URL(isCheckout ? `../src/prove/${name}.ts` : `../dist/postgres-faults/src/prove/${name}.js`, import.meta.url).href

if (process.features.typescript) {
  // Ends the process with the usage before anything of the application is loaded.
  const { command } = await import(fileOf('options'))
  command.readOrExit()
  await import(fileOf('main'))
} else {
  process.stderr.write(`Node ${process.version} cannot load the application, which is TypeScript: use Node 24\n`)
  process.exitCode = 2
}
