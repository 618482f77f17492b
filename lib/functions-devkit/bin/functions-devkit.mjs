#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { URL } from 'node:url'

// A checkout runs the sources. The package has only what was built of them.
const [source, built] = ['../src/', '../dist/functions-devkit/src/'].map(folder => new URL(`${folder}cli/launch.mjs`, import.meta.url))
await import(existsSync(source) ? source : built)
