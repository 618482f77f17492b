import { randomBytes } from 'node:crypto'
import { APPLICATION_FOLDER } from '../application-folder.ts'
import { digestOf } from '../../../functions-runtime/src/edge/auth.ts'
import { writeKey } from '../../../functions-runtime/src/settings/api-keys.ts'
import { loadApis, type Apis } from './apis.ts'

// `npm run keys`: makes an API key.

const USAGE = `npm run keys -- new <name> <scope …>

  Makes an API key, prints it once, and prints what API_KEYS needs for it. A name has 1 to 64 letters, digits, and _ . -
`

process.exitCode = await run(process.argv.slice(2))

/** Exit status: 0 done, 2 wrong usage. */
async function run([action, name, ...words]: readonly string[]): Promise<0 | 2> {
  if (action !== 'new' || name === undefined || !/^[\w.-]{1,64}$/.test(name)) return refuse(USAGE)
  const apis = await loadApis(APPLICATION_FOLDER)
  for (const mistake of apis.mistakes) process.stderr.write(`${mistake}\n`)
  const problem = problemWith(words, apis)
  if (problem !== undefined) return refuse(`${problem}\n`)
  const granted = apis.scopes.filter(scope => words.includes(scope))
  process.stdout.write(describeKey(name, granted))
  return 0
}

function problemWith(words: readonly string[], { all, scopes }: Apis): string | undefined {
  if (all.length === 0) return 'No function needs a key: lib/app/api.ts has defineApi for one that does'
  const unknown = words.filter(word => !scopes.includes(word))
  if (unknown.length > 0) {
    const known = scopes.length === 0 ? 'the functions have none' : `the functions have: ${scopes.join(' ')}`
    return unknown.length === 1 ? `${unknown[0]} is no scope; ${known}` : `${unknown.join(', ')} are no scopes; ${known}`
  }
  // Where no operation asks for a scope, a key has none.
  if (words.length === 0 && scopes.length > 0) return `Say what the key is for; the functions have: ${scopes.join(' ')}`
  return undefined
}

function refuse(text: string): 2 {
  process.stderr.write(text)
  return 2
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
