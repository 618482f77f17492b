import { mkdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startContainer, type Container } from '../../../../functions-devkit/src/server/containers/container.ts'
import { writeRuntime } from '../../../../functions-devkit/src/server/containers/program.ts'
import { openRecords } from '../../../../functions-devkit/src/server/containers/records.ts'
import { createContext } from '../../../../functions-devkit/src/server/platform/context.ts'
import type { PlatformEvent } from '../../../../functions-devkit/src/server/platform/event.ts'
import { toHttpReply, type CallEnd } from '../../../../functions-devkit/src/server/platform/response.ts'
import { apiKey, keySetting, webhookSecret } from '../../../../functions-devkit/test/support/functions.ts'
import { makeCertificates, type TestCertificates } from '../../../src/certificates.ts'
import type { History, HistoryEvent } from '../../../src/prove/history.ts'
import { startProxy, type Proxy } from '../../../src/proxy/proxy.ts'
import { buildFunctions, type FunctionName, type Mutation } from './build.ts'
import type { Ground } from './grounds.ts'

/** What is sent in a scenario, and how its effects are counted. */
export interface Operation {
  readonly name: string
  /** SQL with the ids as $1. */
  readonly effects: string
  readonly amount?: string
}

/** Functions as they were built for one bug, or without any. */
export interface Functions {
  /** Plays a scenario on a ground, which it removes in the end. Returns what happened, with the rows of the ids that were sent. */
  play<On extends Ground>(options: PlayOptions<On>, scenario: (stage: Stage<On>) => Promise<unknown>): Promise<History>
  remove(): Promise<void>
}

export interface PlayOptions<On extends Ground> {
  readonly operation: Operation
  readonly ground: On
  /** Of the functions. */
  readonly variables?: Readonly<Record<string, string>>
}

/** A request that its sender repeats under one id. */
export interface Request {
  readonly id: string
  readonly event: () => PlatformEvent
}

/** Where one scenario takes place: a database behind a proxy, containers, and the history of what happens. */
export interface Stage<On extends Ground = Ground> {
  readonly ground: On
  readonly proxy: Proxy
  readonly query: Ground['query']
  container(name: FunctionName, options?: { timeoutMs?: number }): Promise<Container>
  /** Notes a fault, in words. */
  note(fault: string): void
  /** Sends a request once. */
  send(request: Request, container: Container): Promise<void>
  /** Sends a request again and again until it is acknowledged; not at all if it was before. */
  sendUntilAcknowledged(request: Request, container: Container): Promise<void>
  /** Calls a function as its schedule does. */
  run(container: Container, input: PlatformEvent): Promise<CallEnd>
}

const LOG_LEVEL = process.env.CHAOS_LOG_LEVEL
const API_HOST = 'https://faas.example.test'
const TIMEOUT_MS = 3_000
const GRACE_MS = 1_000
const MOST_ATTEMPTS = 5
const SETTLE_MS = 6_000
const MEMORY_MB = 1_024
const SESSIONS = "FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
const LEFT = `SELECT (SELECT count(*) ${SESSIONS} AND application_name <> 'test')::int AS sessions,
  ((SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid IN (SELECT pid ${SESSIONS})) + (SELECT count(*) FROM pg_prepared_xacts))::int AS locks`

let certificates: Promise<TestCertificates> | undefined

/** Bundles functions with mutations in their sources. */
export async function prepareFunctions(names: readonly FunctionName[], mutations: readonly Mutation[] = []): Promise<Functions> {
  const folder = await mkdtemp(join(tmpdir(), 'planted-'))
  try {
    await buildFunctions(names, mutations, folder)
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
  const program = writeRuntime(join(folder, 'runtime.cjs'))
  return {
    async play({ operation: { name, effects, ...amount }, ground, variables = {} }, scenario) {
      const proxy = await startProxy({ target: ground.server, certificates: await (certificates ??= makeCertificates()) })
      const { stage, events, ids, destroy } = openStage({ ground, proxy, folder, program, variables })
      try {
        await scenario(stage)
        await destroy()
        const left = await settled(ground)
        const rows = await ground.query<History['rows'][number]>(effects, [ids()])
        return { run: name, operation: name, ...amount, events, rows, left }
      } finally {
        await destroy()
        await proxy.stop()
        await ground.stop()
      }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

interface StageOptions<On extends Ground> {
  readonly ground: On
  readonly proxy: Proxy
  readonly folder: string
  readonly program: string
  readonly variables: Readonly<Record<string, string>>
}

function openStage<On extends Ground>({ ground, proxy, folder, program, variables }: StageOptions<On>) {
  const records = openRecords(join(folder, 'running'))
  const home = join(folder, 'home')
  mkdirSync(home, { recursive: true })
  const environment = { ...environmentOf(ground, proxy), ...variables }
  const timeouts = new Map<Container, number>()
  const events: HistoryEvent[] = []
  const attempts = new Map<string, number>()
  const acknowledged = new Set<string>()
  const startedAt = performance.now()
  const at = () => Math.round(performance.now() - startedAt)

  function run(container: Container, event: PlatformEvent): Promise<CallEnd> {
    const timeoutMs = timeouts.get(container) ?? TIMEOUT_MS
    return container.run({ event, context: createContext({ qualifiedName: 'api/planted', timeoutMs, apiHost: API_HOST }) })
  }

  async function send({ id, event }: Request, container: Container): Promise<void> {
    const attempt = (attempts.get(id) ?? 0) + 1
    attempts.set(id, attempt)
    const sentAt = at()
    events.push({ at: sentAt, event: 'sent', id, attempt })
    const end = await run(container, event())
    const lateMs = at() - sentAt - (timeouts.get(container) ?? TIMEOUT_MS)
    const of = { at: at(), id, attempt }
    if (lateMs > GRACE_MS) return void events.push({ ...of, event: 'hung', lateMs })
    if (end.end === 'discarded') return void events.push({ ...of, event: 'failed', reason: end.reason })
    const { status, body } = toHttpReply(end, 'activation')
    const { outcome, code = outcome } = JSON.parse(body.toString() || '{}') as { outcome?: string; code?: string }
    events.push({ ...of, event: 'answered', status, ...(code === undefined ? {} : { code }) })
    if (status >= 200 && status < 300) acknowledged.add(id)
  }

  const stage: Stage<On> = {
    ground,
    proxy,
    query: ground.query,
    async container(name, { timeoutMs = TIMEOUT_MS } = {}) {
      const place = { program, folder: join(folder, name), home, apiHost: API_HOST, records }
      const onLine = ({ line }: { line: string }) => (LOG_LEVEL === undefined ? undefined : console.log(line))
      const entry = join(folder, name, 'index.js')
      const container = await startContainer({ ...place, onLine, entry, environment, timeoutMs, memoryMb: MEMORY_MB })
      timeouts.set(container, timeoutMs)
      return container
    },
    note: fault => void events.push({ at: at(), event: 'fault', fault }),
    send,
    async sendUntilAcknowledged(request, container) {
      for (let sent = 0; sent < MOST_ATTEMPTS && !acknowledged.has(request.id); sent += 1) await send(request, container)
    },
    run,
  }
  const destroy = async () => void (await Promise.all([...timeouts.keys()].map(container => container.destroy())))
  return { stage, events, ids: () => [...attempts.keys()], destroy }
}

function environmentOf({ server, database }: Ground, proxy: Proxy): Record<string, string> {
  return {
    DB_HOST: proxy.host,
    DB_PORT: String(proxy.port),
    DB_NAME: database,
    DB_USER: server.user,
    DB_PASSWORD: server.password,
    DB_CA_CERT: proxy.authority,
    DB_IDLE_SESSION_MS: '2000',
    LOG_LEVEL: LOG_LEVEL ?? 'silent',
    API_KEYS: keySetting(apiKey, 'test', ['users:write', 'orders:write']),
    WEBHOOK_SECRET_DEMO: webhookSecret,
  }
}

/** What is left once sessions had time to end. */
async function settled({ query }: Ground): Promise<History['left']> {
  const until = performance.now() + SETTLE_MS
  for (;;) {
    const [left = { sessions: 0, locks: 0 }] = await query<History['left']>(LEFT)
    if (left.sessions + left.locks === 0 || performance.now() > until) return left
    await sleep(50)
  }
}
