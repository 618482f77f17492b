import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ProvenWay } from '../../../functions-runtime/src/api/proofs.ts'
import { applyMigrations } from '../../../functions-runtime/src/database/migrate.ts'
import { migrationSettings } from '../../../functions-runtime/src/database/settings.ts'
import { readSettings } from '../../../functions-runtime/src/settings/settings.ts'
import { application } from '../../../functions-devkit/src/application.ts'
import { openDeadline } from '../../../invocation/src/deadline.ts'
import { withConnection } from '../../../functions-devkit/src/server/postgres/connection.ts'
import { freePort } from '../../../functions-devkit/src/server/postgres/free-port.ts'
import { startRedis, type LocalRedis } from '../../../functions-devkit/src/server/redis/local-redis.ts'
import { makeCertificates, type TestCertificates } from '../certificates.ts'
import { type Proxy } from '../proxy/proxy.ts'
import { type Variables } from './client/orders.ts'
import { keepSpares, type Spares } from './client/spares.ts'
import { writeProgram } from './client/write-program.ts'
import { startGrounds, type Ground, type ProofDatabase } from './ground.ts'
import { bundleFunctions, readSubject, type Subject } from './subject.ts'

/** Everything that runs share. */
export interface Stage {
  readonly subject: Subject
  readonly spares: Spares
  /** Those of another version of the functions, if there is one. */
  readonly otherSpares: Spares | undefined
  readonly certificates: TestCertificates
  /** Servers that a run may kill. */
  readonly own: readonly Ground[]
  /** The server that all other runs share. */
  readonly shared: Ground
  /** The variables of a function that reaches a database through a proxy. */
  variablesOf(functionName: string, reached: Reached): Variables
  close(): Promise<void>
}

/** How a function reaches its database. */
export interface Reached {
  readonly proxy: Pick<Proxy, 'host' | 'port' | 'authority'>
  readonly database: ProofDatabase
  readonly way: ProvenWay
  /** Whether it has an outage buffer. */
  readonly buffered: boolean
}

export interface StageOptions {
  /** Where project.yml lies. */
  readonly checkout: string
  /** Where a copy of PostgreSQL's programs goes if the server's user cannot reach those of npm. */
  readonly programsFolder: string
  readonly ways: readonly ProvenWay[]
  /** Whether Redis is started for functions with an outage buffer. */
  readonly buffered?: boolean
  /** How many servers there are to kill. */
  readonly ownServers: number
  /** Takes the place of bundling the functions of the checkout. */
  readonly build?: Build
  /** Builds another version of the functions. */
  readonly buildOther?: Build
}

/** Puts bundles of functions into a folder. Returns the file of each. */
export type Build = (folder: string) => EntryOf | Promise<EntryOf>
type EntryOf = (functionName: string) => string

/** After so long without a statement the server ends a session: minutes in production, little here. */
const IDLE_SESSION_MS = 2_000
const LONGEST_MIGRATION_MS = 60_000
// Far more than runs at a time.
const MOST_BUFFERS = 1_000

/** Builds the functions and starts the servers. What is left of a failed start is removed. */
export async function openStage({ checkout, programsFolder, ways, buffered = false, ownServers, build, buildOther }: StageOptions): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'prove-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  const ends: (() => unknown)[] = [() => process.off('exit', remove), remove]
  const close = async () => {
    for (const end of ends.splice(0).reverse()) await end()
  }
  try {
    const subject = await readSubject(checkout)
    const program = writeProgram(join(folder, 'client.cjs'))
    const keep = async (name: string, into: Build): Promise<Spares> => {
      const outdir = join(folder, name)
      mkdirSync(outdir)
      const spares = keepSpares({ program, entryOf: await into(outdir) })
      ends.push(() => spares.stop())
      return spares
    }
    const spares = await keep('functions', build ?? (outdir => bundleFunctions(checkout, subject.functions, outdir)))
    const otherSpares = buildOther && (await keep('other-functions', buildOther))
    const grounds = await startGrounds(ownServers + 1, { prepare, programsFolder, withPooler: ways.includes('pooler') })
    ends.push(() => grounds.stop())
    const [shared, ...own] = grounds.all
    if (shared === undefined) throw new Error('There is no server')
    const certificates = await makeCertificates()
    const redis = buffered ? await startBuffer(join(folder, 'redis')) : undefined
    if (redis !== undefined) ends.push(() => redis.end())
    return {
      subject,
      spares,
      otherSpares,
      certificates,
      shared,
      own,
      variablesOf: (name, reached) => ({ ...subject.variablesOf(name), ...variablesFor(reached, redis) }),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Makes the tables of the application, and what its proofs need besides. */
async function prepare(url: string): Promise<void> {
  const { database: settings } = readSettings({ database: migrationSettings }, { DB_MIGRATION_URL: url })
  const deadline = openDeadline({ remainingMs: LONGEST_MIGRATION_MS })
  try {
    await applyMigrations({ settings, deadline, migrations: application.migrations })
  } finally {
    deadline.clear()
  }
  const { prepare: sql } = application.proofs
  if (sql !== undefined) await withConnection(settings, settings.name, client => client.query(sql))
}

/** A Redis with a database for each database of a run. */
async function startBuffer(folder: string): Promise<LocalRedis> {
  return startRedis({ folder, port: await freePort(), password: randomBytes(12).toString('hex'), databases: MOST_BUFFERS })
}

function variablesFor({ proxy, database, way, buffered }: Reached, redis: LocalRedis | undefined): Variables {
  if (buffered && (redis === undefined || database.number >= MOST_BUFFERS)) throw new Error('There is no outage buffer for this run')
  return {
    DB_HOST: proxy.host,
    DB_PORT: String(proxy.port),
    DB_NAME: database.name,
    DB_USER: database.login.user,
    DB_PASSWORD: database.login.password,
    DB_CA_CERT: proxy.authority,
    DB_SSLMODE: 'verify-full',
    DB_IDLE_SESSION_MS: String(IDLE_SESSION_MS),
    REDIS_URL: buffered ? `${redis?.url}/${database.number}` : 'none',
    DB_POOLER: way === 'pooler' ? 'transaction' : 'none',
  }
}
