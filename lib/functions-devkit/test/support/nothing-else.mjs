// Loaded before a program that is to print something and do nothing else: ends it with 99 and a line when it listens, connects, starts a
// program or changes a file.
import childProcess from 'node:child_process'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'
import process from 'node:process'

const CHANGES = /^(append|chmod|chown|copy|cp|createWriteStream|link|mkdir|mkdtemp|rename|rm|symlink|truncate|unlink|utimes|writeFile)/

function forbid(owner, name) {
  owner[name] = (...given) => {
    process.stderr.write(`${name} ${String(given[0])}\n`)
    process.exit(99)
  }
}

forbid(net.Server.prototype, 'listen')
forbid(net.Socket.prototype, 'connect')
for (const name of ['spawn', 'spawnSync', 'fork', 'exec', 'execSync', 'execFile', 'execFileSync']) forbid(childProcess, name)
for (const owner of [fs, fs.promises]) for (const name of Object.keys(owner)) if (CHANGES.test(name)) forbid(owner, name)
syncBuiltinESMExports()
