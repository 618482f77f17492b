import { randomBytes } from 'node:crypto'
import { writeKey } from '../../../functions-runtime/src/settings/api-keys.ts'
import { application } from '../application.ts'
import { digestOf } from '../../../functions-runtime/src/edge/auth.ts'

const { scopes } = application
const USAGE = `npm run keys -- new <name> [scope …]

  Makes an API key, prints it once, and prints what API_KEYS needs for it. Without a scope it has the first one.
  ${scopes.length === 0 ? 'There are no scopes yet: declare `scopes` in lib/app/project.ts.' : `Scopes: ${scopes.join(' ')}`}
`

process.exitCode = run(process.argv.slice(2))

/** Exit status: 0 done, 2 wrong usage. */
function run([action, name, ...words]: readonly string[]): 0 | 2 {
  const granted = words.length === 0 ? scopes.slice(0, 1) : scopes.filter(scope => words.includes(scope))
  if (action !== 'new' || name === undefined || !/^[\w.-]{1,64}$/.test(name) || granted.length < Math.max(1, new Set(words).size)) {
    process.stderr.write(USAGE)
    return 2
  }
  process.stdout.write(describeKey(name, granted))
  return 0
}

function describeKey(name: string, granted: readonly string[]): string {
  const key = `key_${randomBytes(32).toString('base64url')}`
  const entry = writeKey({ name, scopes: granted, digest: digestOf(key) })
  return `The key, for its holder alone; it is shown nowhere again:

  ${key}

For API_KEYS, behind a blank when there is another already:

  ${entry}
`
}
