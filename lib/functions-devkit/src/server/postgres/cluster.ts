import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type PostgresBinaries } from './binaries.ts'
import { type Identity } from './identity.ts'
import { isAlive } from './system-process.ts'

/** What a new data folder is made with. */
export interface ClusterOptions {
  /** Where the data folder goes once it is complete. */
  dataFolder: string
  binaries: PostgresBinaries
  identity: Identity | undefined
  user: string
  password: string
  /** False leaves the new files to the operating system's cache: for data that is thrown away anyway. */
  durable: boolean
}

const FIRST_WITH_BUILTIN_LOCALE = 17
const LONGEST_INITDB_MS = 120_000
const UNFINISHED = /^initialising-(\d+)-/
/** Kept inside the data folder, which only the server's user and root can read. */
const PASSWORD_FILE = 'password.local'

/** Whether the data folder exists; it appears complete or not at all. */
export async function isInitialised(dataFolder: string): Promise<boolean> {
  return stat(join(dataFolder, 'PG_VERSION')).then(
    () => true,
    () => false,
  )
}

/** The password a data folder was initialised with. */
export async function keptPassword(dataFolder: string): Promise<string> {
  return readFile(join(dataFolder, PASSWORD_FILE), 'utf8')
}

/**
 * Runs initdb in a temporary folder beside and renames the result into place, so that one cut off half way
 * leaves nothing that a later start would take for a database. Passwords are required of every connection.
 */
export async function initialiseCluster(options: ClusterOptions): Promise<void> {
  const { dataFolder, identity, password } = options
  const parent = join(dataFolder, '..')
  await removeUnfinished(parent)
  const work = await mkdtemp(join(parent, `initialising-${process.pid}-`))
  try {
    const data = join(work, 'data')
    const passwordFile = join(work, 'password')
    await mkdir(data, { mode: 0o700 })
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 })
    if (identity) for (const path of [work, data, passwordFile]) await chown(path, identity.uid, identity.gid)
    await runInitdb(options, data, passwordFile)
    await writeFile(join(data, PASSWORD_FILE), password, { mode: 0o600 })
    await rename(data, dataFolder)
  } catch (error) {
    // Another start may have finished first: its database serves as well.
    if (!(await isInitialised(dataFolder))) throw error
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function runInitdb(options: ClusterOptions, data: string, passwordFile: string): Promise<void> {
  const { binaries, identity, user, durable } = options
  const flags = [
    '-D',
    data,
    '-U',
    user,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The server's own C.UTF-8: case mapping for all of Unicode, no locale of the operating system needed.
    '--no-locale',
    ...(Number(binaries.major) >= FIRST_WITH_BUILTIN_LOCALE ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : []),
    '--no-instructions',
    ...(durable ? [] : ['--no-sync']),
  ]
  const child = spawn(binaries.initdb, flags, {
    ...identity,
    cwd: data,
    env: serverEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LONGEST_INITDB_MS,
    killSignal: 'SIGKILL',
  })
  const output: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => output.push(text))
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  if (code !== 0) throw new Error(`initdb failed (${signal ?? `exit code ${code}`}):\n${output.join('').trim()}`)
}

/** The environment of every PostgreSQL program: none of the caller's PG* settings, English messages, UTC. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' }
}

/** Clears what initialisations left behind whose process is gone. */
async function removeUnfinished(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const owner = UNFINISHED.exec(name)?.[1]
    if (owner !== undefined && !isAlive(Number(owner))) await rm(join(parent, name), { recursive: true, force: true })
  }
}
