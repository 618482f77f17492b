import type { Case, Instance, Outcome } from '../case.ts'
import { describeWith } from './describe-value.ts'
import type { Ground } from './ground.ts'
import type { SubjectOrder } from './orders.ts'
import { settledText } from './settled-text.ts'
import type { Subject } from './subjects.ts'
import { makeTools, type CaseRecord } from './tools.ts'

/** Longest time for one case, and for one `close()` after it, in ms. A subject that hangs ends with its own outcome. */
const LONGEST_CASE_MS = 25_000
const LONGEST_CLOSE_MS = 5_000

// pg warns of statements that are sent at once over one connection; this package sends them as a pipeline. Node warns of
// url.parse() outside of node_modules alone: in a bundle of Sequelize.
const IGNORED_WARNINGS = /^(?:Calling client\.query\(\) when|`url\.parse\(\)`)/

// Printed by Sequelize alone: see `differences.test.ts`.
const FAILED_END = /^(?:Committing|Rolling back) transaction .+ failed with error/

interface Parts {
  readonly subject: Subject
  readonly order: SubjectOrder
  readonly ground: Ground
}

/** Runs a case on an empty database and describes all that an application could see of it. */
export async function runCase({ run }: Case, parts: Parts): Promise<Outcome> {
  const { subject, order, ground } = parts
  await ground.reset()
  const describe = describeWith({ ...classesOf(subject), Sequelize: subject.Sequelize })
  const { tools, record, instances, end } = makeTools({ ...parts, describe })
  const aside = watchProcess()
  let result: unknown
  let broken: string | undefined
  try {
    result = await within(LONGEST_CASE_MS, run(subject.Class, tools.connect(), subject.DataTypes, tools))
  } catch (error) {
    broken = error instanceof Error ? `${error.message}\n${error.stack}` : String(error)
  }
  const closed = await Promise.all(instances.map(close))
  await end()
  forgetStatics(subject)
  await new Promise(resolve => setImmediate(resolve))
  aside.undo()
  const sessions = order.address.port === order.server.port ? await ground.openSessions() : 0
  const { rows, structure } = await ground.contents()
  await Promise.all(instances.map(shutDown))

  const sections: [string, readonly string[]][] = [
    ['result', [describe(result)]],
    ['notes', record.notes],
    ['log', linesOfLog(record)],
    ['rows', rows],
    ['structure', structure],
    ['console, warnings and unhandled errors', aside.lines.map(describe)],
    ['close', closed.map(describe)],
    ['sessions left open', [String(sessions)]],
  ]
  const text = sections.map(([name, lines]) => `## ${name}\n${lines.join('\n')}\n`).join('\n')
  const { skipped } = record
  return { text: settledText(text, order.address.database), ...(broken !== undefined && { broken }), ...(skipped !== undefined && { skipped }) }
}

function classesOf({ Sequelize }: Subject) {
  const { Model, Transaction, BaseError } = Sequelize
  return { Model, Transaction, BaseError }
}

function linesOfLog({ log, isLogUnordered }: CaseRecord): readonly string[] {
  if (!isLogUnordered) return log
  // Without their order, the ids of transactions say nothing.
  return log.map(line => line.replace(/^Executing \((?!default)[^)]*\)/, 'Executing (transaction)')).toSorted()
}

async function close(instance: Instance): Promise<unknown> {
  try {
    await within(LONGEST_CLOSE_MS, instance.close())
    return 'closed'
  } catch (error) {
    return error
  }
}

async function shutDown(instance: Instance): Promise<void> {
  await (instance as Partial<{ gracefulShutdown(): Promise<void> }>).gracefulShutdown?.()
}

/** Static members that a case may have set hold for every instance of the process. */
function forgetStatics({ Class, Sequelize }: Subject): void {
  for (const one of [Class, Sequelize] as unknown as { _cls?: unknown; options: { hooks: object } }[]) {
    delete one._cls
    one.options.hooks = {}
  }
}

/** Collects what a case prints, and the errors that it leaves to the process. */
function watchProcess(): { readonly lines: unknown[]; readonly undo: () => void } {
  const lines: unknown[] = []
  const methods = ['log', 'info', 'warn', 'error'] as const
  const undos: (() => void)[] = methods.map(name => {
    const before = console[name]
    console[name] = (...given: unknown[]) => void (FAILED_END.test(String(given[0])) || lines.push([`console.${name}`, ...given]))
    return () => (console[name] = before)
  })
  const listeners = {
    unhandledRejection: (error: unknown) => void lines.push(['unhandled rejection', error]),
    uncaughtException: (error: unknown) => void lines.push(['uncaught exception', error]),
    warning: ({ name, message }: Error) => void (IGNORED_WARNINGS.test(message) || lines.push(['warning', name, message])),
  }
  for (const [event, listener] of Object.entries(listeners)) {
    process.on(event, listener)
    undos.push(() => void process.off(event, listener))
  }
  return { lines, undo: () => undos.forEach(undo => undo()) }
}

async function within<Result>(ms: number, promise: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Not done after ${ms} ms.`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
