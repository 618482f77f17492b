import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { application } from '../application.ts'
import { describeServer } from './announce.ts'
import { startBackingServices } from './backing-services.ts'
import { buildFunctions, syncFiles, watchFunctions } from './build.ts'
import { explainDataFolder } from './data-folder-error.ts'
import { watchChanges } from './changes.ts'
import { dataFolderOf, type DataFolder } from './data-folder.ts'
import { createFunctions, type Functions } from './functions.ts'
import { closeHttpServer, createHttpServer } from './http.ts'
import { readLocalEnvironment, removeSettings, settingsOf } from './local-environment.ts'
import { localApiKeys, localSettings, OWN_SETTINGS } from './local-settings.ts'
import { takeLock } from './lock.ts'
import { migrate } from './migrations.ts'
import { listen } from './port.ts'
import { makeFolder } from './postgres/folder.ts'
import { readProject } from './project.ts'
import { report } from './report.ts'
import { createSamples, type SampleCommands } from './samples.ts'
import { createSchedules, type Schedules } from './schedules.ts'
import { keepSecrets } from './secrets.ts'
import { checkSettings } from './settings-check.ts'
import { type Shutdown } from './shutdown.ts'

export interface LocalServerOptions {
  readonly checkout: string
  /** Read for `PORT` and the variables that begin with `LOCAL_`; it loses its settings and gets those of the functions. */
  readonly environment: Record<string, string | undefined>
  /** Whether schedules fire by themselves. */
  readonly runSchedules: boolean
  readonly runRedis: boolean
  /** Gets everything that is started, as soon as it is. */
  readonly shutdown: Shutdown
  /** Raised when the start is to be given up. */
  readonly signal: AbortSignal
}

export interface LocalServer {
  /** What is running, in words. */
  readonly description: string
  freshSamples(): SampleCommands
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
  { checkout, environment, runSchedules, runRedis, shutdown, signal }: LocalServerOptions,
): Promise<LocalServer> {
  const { settings, port, ports } = readLocalEnvironment(checkout, environment)
  await makeFolder(data.folder)
  const attempt = takeLock({ folder: data.folder })
  if (attempt.outcome === 'held') {
    const { pid, address = 'still starting' } = attempt.holder
    throw new Error(`npm start is already running on this checkout: process ${pid}, ${address}. Its data is in ${data.folder}`)
  }
  const { lock } = attempt
  shutdown.add('lock', { end: () => lock.release(), kill: () => lock.release() })

  // The port is taken before anything slow begins: a port in use shows at once, with nothing started.
  const ready: { functions?: Functions; schedules?: Schedules } = {}
  const server = createHttpServer({ functions: () => ready.functions, schedules: () => ready.schedules, report })
  const address = await listen(server, port)
  // Calls by schedule are let end in the same time as calls over HTTP.
  const letCallsEnd = async () => void (await Promise.all([closeHttpServer(server), ready.schedules?.idle()]))
  shutdown.add('HTTP server', { end: letCallsEnd, kill: () => server.closeAllConnections() })
  lock.announce(address)

  const secrets = keepSecrets(data.folder)
  const projectFile = join(checkout, 'project.yml')
  const leftOut = removeSettings(environment, [...OWN_SETTINGS, ...settingsOf(checkout)])
  const buildEnvironment = { ...environment }
  const build = { checkout, environment: buildEnvironment, signal }
  const [{ databaseUrl, redis }] = await untilBothEnd(
    startBackingServices({ checkout, dataFolder: data.folder, secrets, ports, runRedis, shutdown }),
    syncFiles(build).then(() => buildFunctions(build)),
  )
  signal.throwIfAborted()

  const redisUrl = typeof redis === 'string' ? undefined : redis.url
  const local = localSettings({ databaseUrl, redisUrl, secrets, environment: settings })
  const project = readProject({ text: readFileSync(projectFile, 'utf8'), local, environment: settings })
  Object.assign(environment, project.settings)
  const granted = new Set<string>()
  const created = createFunctions({
    descriptions: project.functions,
    checkout,
    stageRoot: join(data.folder, 'functions'),
    apiHost: address,
    report,
    loaded: grantScopes,
  })
  shutdown.add('database pools', { end: () => created.shutdown() })
  for (const one of created.all) one.prepare()
  checkSettings(created.all)
  const database = { DB_MIGRATION_URL: databaseUrl, DB_SCHEMA: settings.DB_SCHEMA }
  const migrated = await migrate(created, { ...local, ...database })
  signal.throwIfAborted()

  const watcher = watchFunctions({ checkout, environment: buildEnvironment, report })
  shutdown.add('build', watcher)
  const functions = created.all.map(({ qualifiedName }) => qualifiedName)
  const changes = watchChanges({ checkout, functions, database, environment: buildEnvironment, print: line => console.log(line) })
  shutdown.add('changes', changes)
  const schedules = createSchedules({ descriptions: project.schedules, functions: created, print: line => console.log(line), report })
  shutdown.add('schedules', { end: () => schedules.stop(), kill: () => schedules.stop() })
  if (runSchedules) schedules.start()
  Object.assign(ready, { functions: created, schedules })

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
    }),
    freshSamples: () =>
      createSamples({
        samples: application.samples,
        receivesWebhooks: Object.keys(application.sources).length > 0,
        address,
        webhookSecret: secrets.webhookSecret,
        apiKey: secrets.apiKey,
      }),
  }

  // A bundle reads its settings with its first call. One that is built later may ask for a scope that no other has.
  function grantScopes({ scopes = [] }: { readonly scopes?: readonly string[] }): void {
    for (const scope of scopes) granted.add(scope)
    if ('API_KEYS' in environment) Object.assign(environment, { API_KEYS: localApiKeys(secrets, [...granted].sort()) })
  }
}

/** Unlike Promise.all it does not leave one running behind the other's failure: the shutdown has to know of it. */
async function untilBothEnd<One, Other>(one: Promise<One>, other: Promise<Other>): Promise<[One, Other]> {
  await Promise.allSettled([one, other])
  return Promise.all([one, other])
}
