import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isatty } from 'node:tty'
import { application } from '../application.ts'
import { describeServer } from './announce.ts'
import { startBackingServices } from './backing-services.ts'
import { syncFiles, watchFunctions, type Watcher } from './build.ts'
import { watchChanges } from './changes.ts'
import { createContainerFunctions, prepareContainers, type ContainerFunctions } from './containers/container-functions.ts'
import { type SelfDescription } from './containers/protocol.ts'
import { explainDataFolder } from './data-folder-error.ts'
import { dataFolderOf, type DataFolder } from './data-folder.ts'
import { describeSecrets } from './describe-secrets.ts'
import { closeHttpServer, createHttpServer } from './http.ts'
import { requireFreePort } from './inspector.ts'
import { readLocalEnvironment, removeSettings, settingsOf } from './local-environment.ts'
import { localHealthKey } from './local-health-key.ts'
import { openLocalLog } from './local-log.ts'
import { localApiKeys, localSettings, OWN_SETTINGS } from './local-settings.ts'
import { takeLock } from './lock.ts'
import { MIGRATE, migrate } from './migrations.ts'
import { listen } from './port.ts'
import { makeFolder } from './postgres/folder.ts'
import { readProject } from './project.ts'
import { inWords, report } from './report.ts'
import { createSamples, type SampleCommands } from './samples.ts'
import { createSchedules, type Schedules } from './schedules.ts'
import { type FunctionDescription } from './served-function.ts'
import { keepSecrets } from './secrets.ts'
import { checkSettings } from './settings-check.ts'
import { type Shutdown } from './shutdown.ts'
import { watchTypes } from './types/watch-types.ts'
import { localWebhookSecrets } from './webhook-secrets.ts'

export interface LocalServerOptions {
  readonly checkout: string
  /** Read for `PORT` and the variables that begin with `LOCAL_`; it loses the settings of functions. */
  readonly environment: Record<string, string | undefined>
  /** Whether schedules fire by themselves. */
  readonly runSchedules: boolean
  readonly runRedis: boolean
  /** Whether TypeScript checks the types of the sources meanwhile. */
  readonly checkTypes: boolean
  /** The function to which a debugger may attach, by its name with or without the package's. */
  readonly inspect?: string | undefined
  /** Gets everything that is started, as soon as it is. */
  readonly shutdown: Shutdown
  /** Raised when the start is to be given up. */
  readonly signal: AbortSignal
}

export interface LocalServer {
  /** What is running, in words. */
  readonly description: string
  freshSamples(): SampleCommands
  /** The secrets that requests to it need, in words. */
  secrets(): string
  /** Writes what follows from the sources, and builds what has changed. Never rejects. */
  rebuild(): Promise<void>
}

/**
 * Starts the database, the functions and the HTTP server.
 * @throws Error in words for the terminal when something is in the way; what was started is with `shutdown`.
 */
export async function startLocalServer(options: LocalServerOptions): Promise<LocalServer> {
  const data = dataFolderOf(options.checkout, options.environment.LOCAL_DATA_FOLDER)
  try {
    return await startOn(data, options)
  } catch (error) {
    throw explainDataFolder(error, data) ?? error
  }
}

async function startOn(
  data: DataFolder,
  { checkout, environment, runSchedules, runRedis, checkTypes, inspect, shutdown, signal }: LocalServerOptions,
): Promise<LocalServer> {
  const { settings, port, ports, pool } = readLocalEnvironment(checkout, environment)
  await makeFolder(data.folder)
  const attempt = takeLock({ folder: data.folder })
  if (attempt.outcome === 'held') {
    const { pid, address = 'still starting' } = attempt.holder
    throw new Error(`npm start is already running on this checkout: process ${pid}, ${address}. Its data is in ${data.folder}`)
  }
  const { lock } = attempt
  shutdown.add('lock', { end: () => lock.release(), kill: () => lock.release() })

  // The port is taken before anything slow begins: a port in use shows at once, with nothing started.
  const ready: { functions?: ContainerFunctions; schedules?: Schedules } = {}
  const server = createHttpServer({ functions: () => ready.functions, schedules: () => ready.schedules, report })
  const address = await listen(server, port)
  // Calls by schedule are let end in the same time as calls over HTTP.
  const letCallsEnd = async () => void (await Promise.all([closeHttpServer(server), ready.schedules?.idle()]))
  shutdown.add('HTTP server', { end: letCallsEnd, kill: () => server.closeAllConnections() })
  lock.announce({ address })

  const secrets = keepSecrets(data.folder)
  const projectFile = join(checkout, 'project.yml')
  const leftOut = removeSettings(environment, [...OWN_SETTINGS, ...settingsOf(checkout)])
  const buildEnvironment = { ...environment }
  const build = { checkout, environment: buildEnvironment, signal }
  // Apart from what is deployed, whose bundles have no source maps.
  const built = join(data.folder, 'built')
  let watcher: Watcher | undefined
  const watch = { ...build, folder: built, report, print, synced: syncFiles(build), onRebuilt: () => void prepareAll(ready.functions) }
  const [{ databaseUrl, databasePort, redis }, ground] = await untilAllEnd(
    startBackingServices({ checkout, dataFolder: data.folder, secrets, ports, runRedis, shutdown, report }),
    prepareContainers(join(data.folder, 'functions'), report),
    watchFunctions(watch, follow),
  )
  signal.throwIfAborted()

  const { url: redisUrl, port: redisPort } = typeof redis === 'string' ? {} : redis
  lock.announce({ address, ports: { database: databasePort, ...(redisPort !== undefined && { redis: redisPort }) } })
  const local = localSettings({ databaseUrl, redisUrl, secrets })
  const project = readProject({ text: readFileSync(projectFile, 'utf8'), local, environment: settings })
  const log = openLocalLog({ checkout, onTerminal: isatty(1) })
  const inspected = inspect === undefined ? undefined : functionNamed(inspect, project.functions)
  if (inspected !== undefined) await requireFreePort()
  const granted = new Set<string>()
  const created = createContainerFunctions({
    descriptions: project.functions,
    checkout,
    built,
    ...(inspected !== undefined && { inspected }),
    ground,
    apiHost: address,
    pool,
    environmentOf,
    onLine: line => log.take(line),
    report,
    loaded: grantScopes,
  })
  // Calls have had their time by then.
  shutdown.add('containers', { end: () => created.shutdown({ waitForCalls: false }), kill: () => created.kill() })
  // Migrations run while the other functions are loaded.
  await created.byQualifiedName(MIGRATE)?.prepare()
  const database = { DB_MIGRATION_URL: databaseUrl, DB_SCHEMA: project.settings.DB_SCHEMA }
  const migrating = migrate(created, { ...local, ...database })
  await Promise.allSettled([migrating, prepareAll(created)])
  checkSettings(created.all)
  const [migrated] = await untilAllEnd(migrating, prepareAll(created))
  signal.throwIfAborted()

  const functions = created.all.map(({ qualifiedName }) => qualifiedName)
  const changes = watchChanges({ checkout, functions, database, environment: buildEnvironment, print })
  shutdown.add('changes', changes)
  const schedules = createSchedules({ descriptions: project.schedules, functions: created, print, report })
  shutdown.add('schedules', { end: () => schedules.stop(), kill: () => schedules.stop() })
  if (runSchedules) schedules.start()
  Object.assign(ready, { functions: created, schedules })
  // Last: nothing that the first answer needs waits for it.
  const types = checkTypes ? watchTypes({ checkout, folder: join(data.folder, 'types'), environment: buildEnvironment, print }) : undefined
  if (types !== undefined) shutdown.add('types', types)

  return {
    description: describeServer({
      address,
      data,
      databaseUrl,
      redis,
      leftOut,
      functions: created.all,
      migrated,
      schedules: schedules.all,
      runSchedules,
      inspected,
    }),
    freshSamples: () =>
      createSamples({
        samples: application.samples,
        receivesWebhooks: Object.keys(application.sources).length > 0,
        address,
        webhookSecret: secrets.webhookSecret,
        apiKey: secrets.apiKey,
      }),
    secrets: () =>
      describeSecrets({
        apiKey: secrets.apiKey,
        healthKey: localHealthKey(secrets.webhookSecret),
        webhookSecrets: localWebhookSecrets(secrets.webhookSecret),
      }),
    async rebuild() {
      await syncFiles(build).then(
        () => watcher?.rebuild(),
        (error: unknown) => report(inWords(error)),
      )
    },
  }

  function print(line: string): void {
    console.log(line)
  }

  function follow(started: Watcher): void {
    watcher = started
    shutdown.add('build', started)
  }

  // The local key has the scopes that any function asks for. They show once it is loaded: those that get the key are loaded again then.
  function grantScopes({ scopes }: SelfDescription): void {
    for (const scope of scopes) granted.add(scope)
  }

  function environmentOf(qualifiedName: string): Readonly<Record<string, string>> {
    const passed = project.environmentOf(qualifiedName)
    return passed.API_KEYS === undefined ? passed : { ...passed, API_KEYS: localApiKeys(secrets, [...granted].sort()) }
  }
}

/** Loads what has changed, ahead of the next call. Never rejects. */
async function prepareAll(functions: ContainerFunctions | undefined): Promise<void> {
  await Promise.all((functions?.all ?? []).map(one => one.prepare()))
}

function functionNamed(name: string, functions: readonly FunctionDescription[]): string {
  const found = functions.find(one => one.qualifiedName === name) ?? functions.find(one => one.name === name)
  if (found !== undefined) return found.qualifiedName
  throw new Error(
    `There is no function ${name} to inspect. There are ${functions
      .map(one => one.qualifiedName)
      .sort()
      .join(', ')}`,
  )
}

/** Unlike Promise.all it leaves none running behind another's failure: the shutdown has to know of it. */
async function untilAllEnd<const Started extends readonly Promise<unknown>[]>(...started: Started) {
  await Promise.allSettled(started)
  return Promise.all(started)
}
