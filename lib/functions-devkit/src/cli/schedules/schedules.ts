import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { callFunction, readLog } from '../doctl/call.ts'
import { DoctlError, type Doctl } from '../doctl/doctl.ts'
import { withExchange } from '../doctl/exchange.ts'
import { asLine, readableJson } from '../../../../functions-runtime/src/foreign-text.ts'
import { readTrigger, readTriggers, switchTrigger, type DeployedTrigger } from '../doctl/triggers.ts'

/** A trigger as project.yml has it. */
export interface DeclaredTrigger {
  readonly name: string
  readonly function: string
  readonly cron: string
  readonly body: Readonly<Record<string, unknown>>
  readonly enabled: boolean
  /** The time limit of its function, in ms. */
  readonly timeoutMs: number
}

export interface SchedulesOptions {
  readonly doctl: Doctl
  readonly checkout: string
  readonly declared: readonly DeclaredTrigger[]
  readonly print: (line: string) => void
  readonly sleep?: (ms: number) => Promise<unknown>
}

// Of functions that this project does not declare: the platform's longest.
const LONGEST_TIMEOUT_MS = 900_000
// Characters. The platform and the functions write what they like.
const LONGEST_LINE = 5_000
const shown = (text: string) => asLine(text, { maxLength: LONGEST_LINE })

/** Prints every trigger of the namespace, and what project.yml declares besides. Returns whether the two agree. */
export async function listSchedules({ doctl, declared, print }: SchedulesOptions): Promise<boolean> {
  const there = await readTriggers(doctl)
  const missing = declared.filter(({ name }) => !there.some(one => one.name === name))
  const rows = [
    ...there.map(one => [one.enabled ? 'on' : 'off', shown(one.name), shown(one.cron ?? ''), shown(one.function), differenceOf(one, declared)]),
    ...missing.map(({ name, cron, function: invoked }) => ['missing', name, cron, invoked, 'npm run deploy creates it']),
  ]
  const widths = [0, 1, 2, 3].map(column => Math.max(0, ...rows.map(row => row[column]?.length ?? 0)))
  for (const row of rows)
    print(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
  if (rows.length === 0) print('no schedules')
  return rows.every(row => row[4] === '')
}

function differenceOf(there: DeployedTrigger, declared: readonly DeclaredTrigger[]): string {
  const found = declared.find(({ name }) => name === there.name)
  if (found === undefined) return 'not in project.yml'
  const others = (['function', 'cron', 'body'] as const).filter(part => !isDeepStrictEqual(there[part], found[part]))
  return [
    ...(others.length === 0 ? [] : [`has another ${others.join(' and ')} than project.yml: npm run deploy`]),
    ...(found.enabled === there.enabled ? [] : [nextDeploy(found)]),
  ].join('; ')
}

function nextDeploy({ enabled }: DeclaredTrigger): string {
  return `the next deploy ${enabled ? 'enables' : 'disables'} it again: enabled: ${enabled} in project.yml`
}

/** Enables a trigger on the platform. */
export function enableSchedule(name: string, options: SchedulesOptions): Promise<boolean> {
  return setEnabled(name, true, options)
}

/** Disables a trigger on the platform. */
export function disableSchedule(name: string, options: SchedulesOptions): Promise<boolean> {
  return setEnabled(name, false, options)
}

async function setEnabled(name: string, enabled: boolean, { doctl, declared, print }: SchedulesOptions): Promise<boolean> {
  const now = await switchTrigger(doctl, name, enabled)
  if (now?.enabled !== enabled) {
    print(`${name} is still ${enabled ? 'disabled' : 'enabled'}`)
    return false
  }
  const found = declared.find(one => one.name === name)
  print(`${name} ${enabled ? 'enabled' : 'disabled'}${found === undefined || found.enabled === enabled ? '' : `; ${nextDeploy(found)}`}`)
  return true
}

/** Invokes the function of a trigger with the trigger's body, prints the result, and returns whether it succeeded. */
export async function runSchedule(name: string, { doctl, checkout, declared, print, ...tools }: SchedulesOptions): Promise<boolean> {
  const trigger = await readTrigger(doctl, name)
  if (trigger === undefined) throw new DoctlError(`there is no schedule ${name}: npm run schedules -- list`)
  const { function: invoked, body } = trigger
  const timeoutMs = declared.find(one => one.function === invoked)?.timeoutMs ?? LONGEST_TIMEOUT_MS
  const call = await withExchange(checkout, async folder => {
    // On the command line every value would become text.
    const file = join(folder, 'body.json')
    await writeFile(file, JSON.stringify(body))
    return callFunction({ doctl, name: invoked, input: ['--param-file', file], timeoutMs, ...tools })
  })
  switch (call.outcome) {
    case 'succeeded':
      print(readableJson(call.result))
      return true
    case 'failed':
      print(`${shown(invoked)} failed: ${readableJson(call.error ?? 'no reason given').replaceAll(/\n */g, ' ')}`)
      for (const line of await readLog(doctl, call.id)) print(`  log: ${shown(line)}`)
      return false
    case 'not-called':
      print(`${shown(invoked)} was not called: ${shown(call.reason)}`)
      return false
    case 'unknown':
      print(`${shown(invoked)} ${shown(call.reason)}: doctl serverless activations get ${call.id} shows how it ended`)
      return false
    default:
      return call satisfies never
  }
}
