import { randomBytes } from 'node:crypto'
import { APPLICATION_FOLDER } from '../application-folder.ts'
import { digestOf } from '../../../functions-runtime/src/edge/auth.ts'
import { writeKey } from '../../../functions-runtime/src/settings/api-keys.ts'
import { loadApis, type Apis } from './apis.ts'
import { command } from './options/keys.ts'

// `npm run keys`: makes an API key.

process.exitCode = await run(command.readOrExit())

/** Exit status: 0 done, 2 wrong usage. */
async function run({ name, scopes: words }: ReturnType<typeof command.parse>): Promise<0 | 2> {
  const apis = await loadApis(APPLICATION_FOLDER)
  for (const mistake of apis.mistakes) process.stderr.write(`${mistake}\n`)
  const problem = problemWith(words, apis)
  if (problem !== undefined) {
    process.stderr.write(`${problem}\n`)
    return 2
  }
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

function describeKey(name: string, granted: readonly string[]): string {
  const key = `key_${randomBytes(32).toString('base64url')}`
  const entry = writeKey({ name, scopes: granted, digest: digestOf(key) })
  return `The key, for its holder alone; it is shown nowhere again:

  ${key}

For API_KEYS, behind a blank when there is another already:

  ${entry}
`
}
