/* global process, performance */

// Loads a bundle, then the parts that the first use of the database reads, and tells how long each module took by itself.
// The bundle's own functions that evaluate a module have been given `globalThis.timed` to call.
const [, , folder] = process.argv
const { existsSync } = require('node:fs')
const { join } = require('node:path')

const modules = {}
const running = []
globalThis.timed = (name, evaluate) => {
  const within = { ms: 0 }
  running.push(within)
  const startedAt = performance.now()
  try {
    return evaluate()
  } finally {
    const ms = performance.now() - startedAt
    running.pop()
    if (running.length > 0) running.at(-1).ms += ms
    modules[name] = (modules[name] ?? 0) + ms - within.ms
  }
}

const files = {}
for (const file of ['index.js', 'pg.js', 'sequelize.js'].filter(name => existsSync(join(folder, name)))) {
  const startedAt = performance.now()
  const { pieces = [] } = require(join(folder, file))
  for (const load of pieces) load()
  files[file] = performance.now() - startedAt
}
require('node:fs').writeSync(1, JSON.stringify({ files, modules }))
process.exit()
