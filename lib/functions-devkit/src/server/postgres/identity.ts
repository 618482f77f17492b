import { spawnSync } from 'node:child_process'

/** The operating system user that PostgreSQL runs as, in the form `spawn` takes it. */
export interface Identity {
  uid: number
  gid: number
}

const USER = 'postgres'

/**
 * PostgreSQL refuses to run as root. As root this is the system's `postgres` user, created when missing;
 * otherwise it is undefined and the server runs as whoever started us.
 */
export function serverIdentity(): Identity | undefined {
  if (process.getuid?.() !== 0) return undefined
  return lookUp() ?? create()
}

/** Whether that user can walk down to a path and read what is there, folder permissions included. */
export function canReach(path: string, identity: Identity): boolean {
  // A child process asks, because the rights of another user cannot be tested from here; sh, because
  // the node binary itself may be in a folder that the user cannot enter.
  const { status } = spawnSync('/bin/sh', ['-c', 'test -r "$1" && test -x "$1"', 'sh', path], { ...identity, cwd: '/' })
  return status === 0
}

function lookUp(): Identity | undefined {
  const [uid, gid] = ['-u', '-g'].map(flag => {
    const { status, stdout } = spawnSync('id', [flag, USER], { encoding: 'utf8' })
    return status === 0 ? Number.parseInt(stdout, 10) : NaN
  })
  if (uid === undefined || gid === undefined || !Number.isInteger(uid) || !Number.isInteger(gid)) return undefined
  return { uid, gid }
}

function create(): Identity {
  const made = spawnSync('useradd', ['--system', '--user-group', '--no-create-home', USER], { encoding: 'utf8' })
  const identity = lookUp()
  if (identity) return identity
  const reason = made.error?.message ?? made.stderr.trim()
  throw new Error(`PostgreSQL does not run as root, and the system user "${USER}" could not be created: ${reason}`)
}
