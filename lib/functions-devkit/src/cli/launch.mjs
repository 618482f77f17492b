import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { COMMANDS } from './commands.mjs'

// Starts the program of a command. It runs on any Node, so that missing packages are one line and not the stack of a Node that
// cannot read TypeScript.

const own = dirname(fileURLToPath(import.meta.url))
const extension = existsSync(join(own, 'mistake.ts')) ? '.ts' : '.js'
const fileOf = program => join(own, '..', `${program}${extension}`)
const commands = Object.entries(COMMANDS).filter(([, { program }]) => existsSync(fileOf(program)))
const [name = '', ...args] = process.argv.slice(2)
const [, command] = commands.find(([known]) => known === name) ?? []
const asksForHelp = args.includes('--help') || args.includes('-h')

if (name === '--help' || name === '-h') process.stdout.write(usage())
else if (command === undefined) refuse(`${name === '' ? '' : `There is no command ${name}\n`}${usage().trimEnd()}`)
else if (asksForHelp && !canLoad()) process.stdout.write(usage())
else {
  process.argv = [process.argv[0], fileOf(command.program), ...args]
  // Ends the process with the usage: no package, no file and no environment is needed for it.
  if (asksForHelp) await readArguments(command)
  const missing = findMissing()
  if (missing === undefined) await start(command)
  else refuse(missing)
}

function usage() {
  const width = Math.max(...commands.map(([known]) => known.length))
  const lines = commands.map(([known, { does }]) => `  ${known.padEnd(width)}   ${does}\n`)
  return `usage: functions-devkit <command> [arguments]\n\n${lines.join('')}
The application is the working directory, or the nearest folder above it with a project.yml. Exit status: that of the command;
2 for an unknown one. functions-devkit <command> --help shows how one is called, and starts nothing.
`
}

// Options are declared in the language of the programs.
function canLoad() {
  return extension === '.js' || Boolean(process.features.typescript)
}

async function readArguments({ options = `cli/options/${name}` }) {
  const declared = await import(pathToFileURL(fileOf(options)).href)
  declared.command.readOrExit()
}

function findMissing() {
  if (process.platform === 'win32') return 'Windows is not supported: use the Windows Subsystem for Linux'
  const folders = createRequire(import.meta.url).resolve.paths('pg') ?? []
  const isInstalled = path => folders.some(folder => existsSync(join(folder, path)))
  if (!isInstalled('pg')) return 'The packages are not installed: npm install'
  // npm fetches it in an install script.
  if (!isInstalled('.bin/node') && folders.some(folder => 'node' in dependenciesIn(dirname(folder))))
    return 'The install scripts of the packages did not run: npm install --ignore-scripts=false'
  if (!process.features.typescript) return `Node ${process.version} cannot load the functions, which are TypeScript: use Node 24`
  return undefined
}

function dependenciesIn(folder) {
  const manifest = join(folder, 'package.json')
  return existsSync(manifest) ? (JSON.parse(readFileSync(manifest, 'utf8')).dependencies ?? {}) : {}
}

async function start(command) {
  const { program, readsEnvironment = false, needsIndexes = false } = command
  // Before anything is read or written.
  await readArguments(command)
  const file = fileOf(program)
  const { APPLICATION_FOLDER: folder } = await import(pathToFileURL(fileOf('application-folder')).href)
  const environment = join(folder, '.env')
  if (readsEnvironment && !args.includes('--local') && existsSync(environment)) process.loadEnvFile(environment)
  if (needsIndexes && !(await writeIndexes(folder))) return
  try {
    await import(pathToFileURL(file).href)
  } catch (error) {
    if (!isMistake(error)) throw error
    const { describeMistake, locateMistake } = await import(pathToFileURL(fileOf('cli/mistake')).href)
    refuse(`functions-devkit ${name} cannot start: ${describeMistake(await locateMistake(folder, file, error))}`)
  }
}

async function writeIndexes(folder) {
  const { planIndexes, writeFiles } = await import(pathToFileURL(fileOf('sync/sync')).href)
  const { files, problems } = planIndexes(folder)
  writeFiles(folder, files)
  for (const path of files.keys()) process.stdout.write(`written: ${path}\n`)
  if (problems.length > 0) refuse(problems.map(({ message }) => message).join('\n'))
  return problems.length === 0
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
