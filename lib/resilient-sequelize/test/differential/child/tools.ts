import { AsyncLocalStorage } from 'node:async_hooks'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { Options } from 'sequelize'
import type { ApplicationNamespace, Instance, Tools } from '../case.ts'
import type { DescribeValue } from './describe-value.ts'
import type { Ground } from './ground.ts'
import type { SubjectOrder } from './orders.ts'
import type { Subject } from './subjects.ts'

/** What one run of a case leaves behind for the comparison. */
export interface CaseRecord {
  readonly log: string[]
  readonly notes: string[]
  isLogUnordered: boolean
  skipped: string | undefined
}

/** The tools of one run, and what it opened. */
export interface Toolbox {
  readonly tools: Tools
  readonly record: CaseRecord
  readonly instances: readonly Instance[]
  /** Ends what the case opened beside instances. */
  end(): Promise<void>
}

interface ToolsOptions {
  readonly subject: Subject
  readonly order: SubjectOrder
  readonly ground: Ground
  readonly describe: DescribeValue
}

const LONGEST_LOCK_WAIT_MS = 5_000
const LOOK_AGAIN_MS = 10
const AWAITED = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

const { createNamespace, destroyNamespace } = createRequire(import.meta.url)('cls-hooked') as {
  createNamespace(name: string): ApplicationNamespace
  destroyNamespace(name: string): void
}
let namespaces = 0

/** Makes the tools of one run of a case. */
export function makeTools({ subject, order, ground, describe }: ToolsOptions): Toolbox {
  const record: CaseRecord = { log: [], notes: [], isLogUnordered: false, skipped: undefined }
  const instances: Instance[] = []
  const sessions: pg.Client[] = []
  const cleanUps: (() => void)[] = []
  const { address, closedPort } = order

  const logging = (text: string, second: unknown) => void record.log.push(typeof second === 'number' ? `${text} <timed>` : text)
  const tools: Tools = {
    address,
    closedPort,
    connect(options = {}) {
      const { user: username, ...rest } = address
      const all: Options = { ...rest, username, dialect: 'postgres', logging, ...subject.options, ...options }
      const instance = new subject.Class(all.database ?? '', all.username ?? '', all.password, all)
      instances.push(instance)
      return instance
    },
    plain: (text, values) => ground.query(text, values),
    async session() {
      const client = await ground.open()
      sessions.push(client)
      return client
    },
    // Described at once: what is noted may change later.
    note: (text, ...values) => void record.notes.push([text, ...values.map(describe)].join(' ')),
    async errorOf(failing) {
      try {
        await (typeof failing === 'function' ? failing() : failing)
      } catch (error) {
        return error
      }
      throw new Error('The case expected a failure, and there was none.')
    },
    watchHooks(target, names) {
      const { addHook } = target as { addHook(name: string, hook: (...given: unknown[]) => void): void }
      for (const name of names) addHook.call(target, name, (...given) => tools.note(name, ...given.map(summary)))
    },
    async inTimeZone(zone, work) {
      const before = process.env.TZ
      process.env.TZ = zone
      try {
        return await work()
      } finally {
        if (before === undefined) delete process.env.TZ
        else process.env.TZ = before
      }
    },
    clsHooked() {
      const name = `case ${(namespaces += 1)}`
      cleanUps.push(() => destroyNamespace(name))
      return createNamespace(name)
    },
    asyncNamespace,
    async lockAwaited() {
      const until = performance.now() + LONGEST_LOCK_WAIT_MS
      for (;;) {
        const [row] = await ground.query(AWAITED)
        if (Number(row?.n) > 0) return
        if (performance.now() > until) throw new Error('No session waits for a lock.')
        await sleep(LOOK_AGAIN_MS)
      }
    },
    skip: reason => void (record.skipped = reason),
    ignoreLogOrder: () => void (record.isLogUnordered = true),
  }
  return {
    tools,
    record,
    instances,
    async end() {
      for (const cleanUp of cleanUps) cleanUp()
      await Promise.all(sessions.map(session => session.end().catch(() => undefined)))
    },
  }
}

// Options refer to models, transactions and the instance: of them only these members are compared.
function summary(given: unknown): unknown {
  if (Array.isArray(given)) return given.map(summary)
  if (typeof given !== 'object' || given === null || given instanceof Error || 'dataValues' in given) return given
  const { type, where, individualHooks, fields, validate } = given as { [name: string]: unknown }
  return Object.fromEntries(Object.entries({ type, where, individualHooks, fields, validate }).filter(([, value]) => value !== undefined))
}

/** A namespace as Sequelize asks for it, on Node's own storage. */
function asyncNamespace(): ApplicationNamespace {
  const storage = new AsyncLocalStorage<Map<string, unknown>>()
  const current = () => storage.getStore()
  return {
    get: key => current()?.get(key),
    set: (key, value) => current()?.set(key, value),
    run: body => storage.run(new Map(current()), () => body(undefined)),
    runPromise: body => storage.run(new Map(current()), body),
    bind: body => (typeof body === 'function' ? AsyncLocalStorage.bind(body as () => void) : body),
  }
}
