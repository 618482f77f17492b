import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type HostSettings } from '../../settings/host.ts'
import { type Environment } from '../../../../functions-runtime/src/settings/settings.ts'
import { type NamedPool, type PoolStatus } from '../../../../functions-runtime/src/edge/define.ts'
import { type Logger } from '../../../../functions-runtime/src/telemetry/logger.ts'
import { createFunctions, type Functions } from '../functions.ts'
import { createHttpServer } from '../http.ts'
import { listen } from '../port.ts'
import { createSchedules } from '../schedules.ts'
import { checkSettings } from '../settings-check.ts'
import { createOrderedShutdown, type Shutdown, type Step } from '../shutdown.ts'
import { followConnections } from './connections.ts'
import { isHealthRound, startHealthRounds } from './health-round.ts'
import { notBuilt, readHostedProject } from './hosted-project.ts'
import { type LogOutput } from './log-output.ts'
import { problemReply } from './problem-reply.ts'

export interface HostOptions {
  readonly checkout: string
  readonly environment: Environment
  readonly settings: HostSettings
  readonly output: LogOutput
  readonly logger: Logger
}

/** The functions as one long-lived process. */
export interface Host {
  /** Where it answers. */
  readonly address: string
  /** Ends everything in order. Readiness says fail from the moment that this is called. */
  end(): Promise<void>
  /** Lets go of everything at once. */
  kill(): void
}

type StepName = 'grace' | 'schedules' | 'requests' | 'scheduled calls' | 'database' | 'files'

// More than the time that each part takes by itself to be done, or to give up.
const MARGIN_MS = 1_000
const CALLS_MS = 5_000
const POOLS_MS = 4_000
// Of one listener to all addresses of the machine, as a container needs it.
const EVERY_ADDRESS = '0.0.0.0'

/**
 * Loads the built functions and serves them: settings from the environment, the server profile, schedules by their cron.
 * Connects to nothing that it needs a database for before it answers: a database that is away keeps nobody from starting.
 * @throws Error in words when something is in the way; nothing is left behind then.
 */
export async function startHost({ checkout, environment, settings, output, logger }: HostOptions): Promise<Host> {
  const report = (message: string, error?: unknown) => logger.error({ event: 'host.problem', ...(error === undefined ? {} : { error }) }, message)
  const steps: readonly Step<StepName>[] = [
    { name: 'grace', longestMs: settings.graceMs + MARGIN_MS },
    { name: 'schedules', longestMs: MARGIN_MS },
    { name: 'requests', longestMs: settings.requestsMs },
    { name: 'scheduled calls', longestMs: CALLS_MS },
    { name: 'database', longestMs: POOLS_MS },
    { name: 'files', longestMs: MARGIN_MS },
  ]
  const shutdown: Shutdown<StepName> = createOrderedShutdown({
    steps,
    report,
    onEnded: (step, ms) => logger.info({ event: 'host.step.ended', step, ms }),
  })
  let ending = false

  try {
    return await start()
  } catch (error) {
    await shutdown.run()
    throw error
  }

  async function start(): Promise<Host> {
    const project = readHostedProject(readFileSync(join(checkout, 'project.yml'), 'utf8'), environment, {
      fewOf: name => functions.byQualifiedName(name)?.fewConnections(),
    })
    const missing = notBuilt(checkout, project.functions)
    if (missing.length > 0) throw new Error(`Not built: ${missing.join(', ')}. Run npm run build first, in the step that makes the image`)

    const ready: { functions?: Functions } = {}
    const server = createHttpServer({
      functions: () => ready.functions,
      report,
      limits: settings.http,
      refusal: problemReply,
      isEnding: () => ending,
    })
    const connections = followConnections(server)
    server.on('drop', () => logger.warn({ event: 'host.connection.dropped', max: settings.http.maxConnections }))

    const stageRoot = mkdtempSync(join(tmpdir(), 'functions-'))
    const removeStage = () => rmSync(stageRoot, { recursive: true, force: true })
    shutdown.add('files', { end: removeStage, kill: removeStage })
    const pools = () => ready.functions?.all.flatMap(one => namedPool(one.qualifiedName, one.pool())) ?? []
    const functions = createFunctions({
      descriptions: project.functions,
      checkout,
      stageRoot,
      apiHost: `http://127.0.0.1:${settings.port}`,
      report,
      hosting: name => ({
        // Read after all bundles are loaded, because their definitions decide the shares.
        get environment() {
          return project.environmentOf(name)
        },
        output,
        pools,
      }),
    })
    // Calls have had their time by then.
    shutdown.add('database', { end: () => functions.shutdown({ waitForCalls: false }) })
    const unusable = functions.all.filter(one => !one.prepare()).map(one => one.qualifiedName)
    if (unusable.length > 0) throw new Error(`Cannot be loaded: ${unusable.join(', ')}`)
    checkSettings(functions.all)

    const schedules = createSchedules({
      // The health check has its own time here.
      descriptions: project.schedules.map(one => (isHealthRound(one) ? { ...one, enabled: false } : one)),
      functions,
      print: line => logger.info({ event: 'schedule.fired' }, line),
      report,
    })

    // Before anything is fired: a port that is taken shows with nothing begun.
    const address = await listen(server, settings.port, EVERY_ADDRESS, 'npm run serve')
    ready.functions = functions
    // Whoever balances the load has to notice before the door is shut.
    shutdown.add('grace', { end: () => sleep(settings.graceMs) })
    shutdown.add('requests', {
      end: () => connections.finish({ patienceMs: settings.requestsMs / 3 }),
      kill: () => logger.warn({ event: 'host.requests.cut', connections: connections.cut() }),
    })
    const rounds = startHealthRounds(
      schedules,
      project.schedules.filter(one => one.enabled && isHealthRound(one)).map(one => one.name),
    )
    if (settings.runSchedules) schedules.start()
    const stopFiring = () => {
      rounds.stop()
      schedules.stop()
    }
    shutdown.add('schedules', { end: stopFiring, kill: stopFiring })
    shutdown.add('scheduled calls', { end: () => schedules.idle() })

    return {
      address,
      end() {
        ending = true
        return shutdown.run()
      },
      kill: () => shutdown.atOnce(),
    }
  }
}

function namedPool(name: string, status: PoolStatus | undefined): NamedPool[] {
  return status === undefined ? [] : [{ ...status, function: name }]
}
