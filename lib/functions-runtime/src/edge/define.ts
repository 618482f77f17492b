import { randomUUID } from 'node:crypto'
import { createLogger, type DestinationStream, type Logger } from '../telemetry/logger.ts'
import { readPlatform } from '../settings/platform.ts'
import {
  readSettings,
  SettingsError,
  toleratedIssues,
  documentationOf,
  variablesOf,
  type Environment,
  type SettingDocumentation,
  type SettingIssue,
  type Settled,
  type SettingsGroup,
  type SettingsOf,
} from '../settings/settings.ts'
import { logSettings, type LogSettings } from '../settings/log.ts'
import { ApplicationError } from './http-errors.ts'
import { CodedError } from '../../../invocation/src/errors.ts'
import { statusOf } from './status-of.ts'
import { LONGEST_PUBLIC_MS, openDeadline, type Deadline } from '../../../invocation/src/deadline.ts'
import { runWithDeadline } from '../../../invocation/src/deadline-scope.ts'
import { noFacts, runInvocation, type InvocationFacts } from '../../../invocation/src/invocation-scope.ts'
import { untilAborted } from '../../../invocation/src/wait.ts'
import { deploymentOf, type Deployment, type Limits, type Schedule } from './deployment.ts'
import { directAnswer, UnsendableError, webAnswer } from './answer.ts'
import { isWebEvent, readWebRequest, type FunctionContext, type FunctionEvent, type WebRequest } from './event.ts'
import { isPlainId } from './plain-id.ts'
import { problem, type Reply } from './reply.ts'
import { createRouter, type Routes } from './router.ts'

/** What every handler gets beside the request. */
export interface Invocation<Services> {
  readonly services: Services
  readonly deadline: Deadline
  readonly logger: Logger
  readonly requestId: string
}

export type WebHandler<Services> = (request: WebRequest, invocation: Invocation<Services>) => Promise<Reply> | Reply
export type DirectHandler<Services> = (input: Readonly<Record<string, unknown>>, invocation: Invocation<Services>) => Promise<Record<string, unknown>>

type Groups = Readonly<Record<string, SettingsGroup<unknown>>>

export interface FunctionDefinition<G extends Groups, Services> {
  /** `<package>/<function>`: its folder under packages/. */
  name: string
  /** Time limit and memory. Without it project.yml says; a new function gets the defaults. */
  limits?: Limits
  /** When the platform invokes the function. Without it project.yml says; an empty list removes what is there. */
  schedules?: readonly Schedule[]
  /** The settings that this function reads, and no others; `log` among them when it has to go on without a level. */
  settings: G
  /**
   * Builds what the handlers share, once per container, on the first call. It must not connect to anything.
   * `timeLimitMs` is what the platform left that first call: the function's time limit, less its loading. `pools` are
   * those of all functions in a long-lived process; elsewhere there are none to be told of.
   */
  setup(settings: SettingsOf<G>, tools: { logger: Logger; timeLimitMs: number; pools(): readonly NamedPool[] }): Services
  /** The pool that `setup` has built. */
  pool?(services: Services): PoolStatus | undefined
  /** Ends what `setup` built; the long-lived server calls it, the platform never does. */
  shutdown?(services: Services): Promise<void>
  /** The most connections that the function needs in a long-lived process. Default: an equal share of the rest. */
  fewConnections?: number
  /**
   * Why the function may be public, for a function without authentication in project.yml. The build warns about public
   * functions that do not set it.
   */
  openBecause?: string
  routes?: Routes<WebHandler<Services>>
  /** Answers a schedule or a direct invocation: an event without `http`. */
  invoked?: DirectHandler<Services>
}

/** The pool of one function, as it is now. */
export interface PoolStatus {
  readonly generation: number
  readonly pool: { readonly inUse: number; readonly idle: number; readonly waiting: number; readonly max: number }
}

/** The pool of one function among several in a process. */
export interface NamedPool extends PoolStatus {
  readonly function: string
}

/**
 * Shows errors in full: messages, statements and their values. The tools for a developer's own machine bring it; no bundle
 * contains one, so that no setting of a deployed function can turn redaction off.
 */
export interface ErrorView {
  /** Returns what the log shows of an error, in place of `describeError`. */
  describe(error: unknown): object
  /** Returns the `detail` of the problem document with which an unexpected error is answered. */
  detailOf(error: unknown): string
}

/** What a host gives a function in place of the process's own; what is left out stays the process's own. */
export interface Hosting {
  /** Where its settings are read from. */
  readonly environment?: Environment
  /** Where its log goes. */
  readonly output?: DestinationStream
  /** The pools of all functions in this process. */
  pools?(): readonly NamedPool[]
  /** Given on a developer's own machine alone; without it errors are redacted. */
  readonly errors?: ErrorView
}

export interface Main {
  (event: FunctionEvent, context?: FunctionContext): Promise<Record<string, unknown>>
  /** Ends what the calls so far have built; the next call starts anew. */
  shutdown(): Promise<void>
  /** The pool that the calls so far have built, for the long-lived host. */
  pool(): PoolStatus | undefined
  /** Called by a host before anything else; the platform never does. */
  hostedBy(hosting: Hosting): void
  /** What is wrong with the settings as they are now, or as they are given; empty when a call would find them usable. */
  settingIssues(environment?: Environment): readonly SettingIssue[]
  /** Every variable that this function reads, sorted: what project.yml has to pass. */
  readonly variables: readonly string[]
  /** As its definition says. */
  readonly fewConnections: number | undefined
  /** As its definition says. */
  readonly openBecause: string | undefined
  /** What its block in project.yml has to say. */
  readonly deployment: Deployment
  /** What is known of the variables that it reads, for those whose settings say it. */
  readonly documentation: Readonly<Record<string, SettingDocumentation>>
}

// Time that an invocation has when the platform does not say: its own default limit.
const UNKNOWN_REMAINING_MS = 3_000
// Work that keeps to the deadline ends with an error that says what it waited for; only after this much longer, taken
// from the reserve, is the answer given without it.
const GRACE_MS = 200

/**
 * Makes the `main` that the platform calls. Handler errors never escape: every call resolves to an answer and writes one
 * log line, with the status that the caller gets. What a handler returns and the platform could not send becomes 500.
 */
export function defineFunction<G extends Groups, Services>(
  definition: FunctionDefinition<G, Services>,
  { output }: { output?: DestinationStream } = {},
): Main {
  const groups = { ...definition.settings, log: (definition.settings as Groups).log ?? logSettings }
  const findRoute = createRouter(definition.routes ?? {})
  let started: { services: Services; logger: Logger } | undefined
  let cold = true
  let hosting: Hosting | undefined

  function loggerAt(level: LogSettings['level']): Logger {
    const destination = output ?? hosting?.output
    const errors = hosting?.errors
    return createLogger({
      name: definition.name,
      level,
      ...(destination ? { destination } : {}),
      ...(errors ? { showError: (error: unknown) => errors.describe(error) } : {}),
    })
  }

  // A failed start is forgotten, so that one bad first call does not spoil the container.
  function start(timeLimitMs: number): { services: Services; logger: Logger } {
    if (started) return started
    const settings = readSettings(groups, hosting?.environment) as SettingsOf<G> & { readonly log: LogSettings | Settled<LogSettings> }
    const logger = loggerAt(levelOf(settings.log))
    started = { services: definition.setup(settings, { logger, timeLimitMs, pools: () => hosting?.pools?.() ?? [] }), logger }
    return started
  }

  async function main(event: FunctionEvent, context?: FunctionContext): Promise<Record<string, unknown>> {
    const startedAt = performance.now()
    const web = isWebEvent(event)
    const requestId = requestIdOf(web ? event.http.headers?.['x-request-id'] : undefined, context)
    const leftMs = remainingMs(context)
    const deadline = openDeadline({ remainingMs: leftMs, ...(web ? { atMostMs: LONGEST_PUBLIC_MS } : {}) })
    const end = openDeadline({ remainingMs: deadline.remainingMs() + GRACE_MS, reserveMs: 0 })
    const line: Record<string, unknown> = { event: 'invocation.completed', cold }
    cold = false
    const facts = noFacts()
    let logger: Logger | undefined
    let answer: Record<string, unknown>
    try {
      const { services, logger: base } = start(Math.ceil(leftMs))
      logger = base.child({ requestId })
      const invocation: Invocation<Services> = { services, deadline, logger, requestId }
      const run = () => runWithDeadline(deadline, () => untilAborted(answerTo(event, invocation, line), end.signal))
      answer = await runInvocation(run, facts, { marksCalls: hosting?.errors !== undefined })
    } catch (error) {
      // Without settings there is no level either.
      logger ??= loggerAt('info').child({ requestId })
      answer = refusal(error, { web, requestId, line, logger })
    } finally {
      line.remainingMs = Math.round(deadline.remainingMs())
      // Whatever still runs has nobody left to answer.
      deadline.end()
      end.clear()
    }
    line.status = web ? answer.statusCode : 'error' in answer ? 'error' : 'ok'
    line.ms = Math.round(performance.now() - startedAt)
    addFacts(line, facts)
    logger.info(line)
    return answer
  }

  async function answerTo(event: FunctionEvent, invocation: Invocation<Services>, line: Record<string, unknown>): Promise<Record<string, unknown>> {
    if (!isWebEvent(event)) {
      if (!definition.invoked) throw new ApplicationError('This function answers web calls only.', { code: 'not-invocable', status: 400 })
      return directAnswer(await definition.invoked(event, invocation))
    }
    const request = readWebRequest(event.http, definition.name.split('/').at(-1) ?? '')
    line.method = request.method
    const { handler, params, route } = findRoute(request.method, request.path)
    line.route = route
    return webAnswer(await handler({ ...request, params }, invocation), invocation.requestId)
  }

  function refusal(
    error: unknown,
    { web, requestId, line, logger }: { web: boolean; requestId: string; line: Record<string, unknown>; logger: Logger },
  ): Record<string, unknown> {
    if (error instanceof SettingsError) {
      line.settings = error.issues.map(issue => `${issue.variable} ${issue.reason}`)
    }
    // What was raised on purpose explains itself by its code; what was not is shown with its stack.
    if (error instanceof UnsendableError) logger.error({ event: 'invocation.reply.invalid', code: error.code, reason: error.reason, error })
    else if (!(error instanceof CodedError)) logger.error({ event: 'invocation.failed', error })
    else if (statusOf(error) >= 500 && error.cause !== undefined) {
      // In full the error itself says more: which code of the application it went through.
      logger.warn({ event: 'invocation.refused', code: error.code, error: hosting?.errors === undefined ? error.cause : error })
    }
    const { body, ...reply } = problem(error, requestId, hosting?.errors && (unexpected => hosting?.errors?.detailOf(unexpected)))
    line.code = body.code
    try {
      return web ? webAnswer({ ...reply, body }, requestId) : directAnswer({ error: body })
    } catch (unsendable) {
      // An error brings details, headers and a status of its own: those of this one cannot be sent, and its problem can.
      return refusal(unsendable, { web, requestId, line, logger })
    }
  }

  main.variables = variablesOf(groups)
  main.deployment = deploymentOf({
    name: definition.name,
    web: definition.routes !== undefined,
    limits: definition.limits,
    schedules: definition.schedules,
    variables: Object.values(groups).flatMap(group => group.variables),
  })
  main.fewConnections = definition.fewConnections
  main.openBecause = definition.openBecause
  main.pool = function pool(): PoolStatus | undefined {
    return started === undefined ? undefined : definition.pool?.(started.services)
  }
  main.hostedBy = function hostedBy(given: Hosting): void {
    hosting = given
  }
  Object.defineProperty(main, 'documentation', { get: () => documentationOf(groups) })
  main.settingIssues = function settingIssues(environment = hosting?.environment): readonly SettingIssue[] {
    try {
      readSettings(groups, environment)
      return toleratedIssues(groups, environment)
    } catch (error) {
      if (error instanceof SettingsError) return error.issues
      throw error
    }
  }
  main.shutdown = async function shutdown(): Promise<void> {
    const services = started?.services
    started = undefined
    if (services !== undefined) await definition.shutdown?.(services)
  }
  return main as typeof main & Pick<Main, 'documentation'>
}

function levelOf(log: LogSettings | Settled<LogSettings>): LogSettings['level'] {
  return 'level' in log ? log.level : (log.value?.level ?? 'info')
}

// What is not known, because the database was not used, is not in the line.
function addFacts(line: Record<string, unknown>, { attempts, trips, generation, counters }: InvocationFacts): void {
  line.attempts = attempts
  if (generation !== undefined) line.generation = generation
  if (trips > 0) line.trips = trips
  for (const _ in counters) {
    line.counters = counters
    return
  }
}

function remainingMs(context: FunctionContext | undefined): number {
  const left = toldByPlatform(context) ?? (context?.deadline ?? readPlatform().deadlineAt ?? Number.NaN) - Date.now()
  return Number.isFinite(left) ? left : UNKNOWN_REMAINING_MS
}

function requestIdOf(sent: unknown, context: FunctionContext | undefined): string {
  return [sent, context?.requestId, readPlatform().activationId].find(isPlainId) ?? randomUUID()
}

// A context is the platform's: whatever it does, the call is answered.
function toldByPlatform(context: FunctionContext | undefined): number | undefined {
  try {
    return context?.getRemainingTimeInMillis?.()
  } catch {
    return undefined
  }
}
