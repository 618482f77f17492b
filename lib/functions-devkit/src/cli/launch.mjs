import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'

// Starts the program of every `npm run`: `launch.mjs [--env] <program> [arguments]`. It runs on any Node, so that missing
// packages are one line and not the stack of a Node that cannot read TypeScript. `--env` reads .env first.

const checkout = join(dirname(fileURLToPath(import.meta.url)), '../../../..')
const words = process.argv.slice(2)
const readsEnvironment = words[0] === '--env'
const [program, ...args] = readsEnvironment ? words.slice(1) : words

const missing = findMissing()
if (missing === undefined) await start()
else refuse(missing)

function findMissing() {
  if (!existsSync(join(checkout, 'node_modules/pg'))) return 'The packages are not installed: npm install'
  // npm fetches it in an install script.
  if (!existsSync(join(checkout, 'node_modules/.bin/node')))
    return 'The install scripts of the packages did not run: npm install --ignore-scripts=false'
  return undefined
}

async function start() {
  const file = join(checkout, program)
  const environment = join(checkout, '.env')
  if (readsEnvironment && existsSync(environment)) process.loadEnvFile(environment)
  process.argv = [process.argv[0], file, ...args]
  try {
    await import(pathToFileURL(file).href)
  } catch (error) {
    if (!isMistake(error)) throw error
    const { describeMistake, locateMistake } = await import('./mistake.ts')
    refuse(`${relative(checkout, file)} cannot start: ${describeMistake(await locateMistake(checkout, file, error))}`)
  }
}

// What does not parse or resolve; anything else is an error of the program itself.
function isMistake(error) {
  return (
    error instanceof SyntaxError ||
    ['ERR_INVALID_TYPESCRIPT_SYNTAX', 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX', 'ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'].includes(error?.code)
  )
}

function refuse(line) {
  process.stderr.write(`${line}\n`)
  // The status 1 of the doctor means warnings.
  process.exitCode = 2
}
