#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { URL } from 'node:url'

// A published package holds what was compiled, and no sources; a checkout runs its sources, and no build that may be old.
const sources = new URL('../src/command.ts', import.meta.url)
const { main } = await import((existsSync(sources) ? sources : new URL('../dist/command.js', import.meta.url)).href)
main()
