import { type OutageBuffer } from './backing-services.ts'
import { type DataFolder } from './data-folder.ts'
import { INSPECTOR_PORT } from './inspector.ts'
import { LOCAL_FILE } from './local-environment.ts'
import { type SampleCommands } from './samples.ts'
import { SCHEDULE_ROUTE } from './schedule-route.ts'
import { type ScheduleDescription } from './schedules.ts'
import { type CallableFunction } from './served-function.ts'

const NAMES_SHOWN = 3
const NO_REDIS = {
  'switched-off': 'off (--no-redis)',
  'not-installed':
    'not installed, so no events are held while the database is away (Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis)',
} as const

/** What is running, for the terminal. */
export function describeServer({
  address,
  data,
  databaseUrl,
  redis,
  leftOut,
  functions,
  migrated,
  schedules,
  runSchedules,
  inspected,
}: {
  readonly address: string
  readonly data: DataFolder
  readonly databaseUrl: string
  readonly redis: OutageBuffer
  /** Names of settings that the shell has; no function gets them. */
  readonly leftOut: readonly string[]
  readonly functions: readonly CallableFunction[]
  readonly migrated: Readonly<Record<string, unknown>>
  readonly schedules: readonly ScheduleDescription[]
  readonly runSchedules: boolean
  /** The function to which a debugger may attach. */
  readonly inspected?: string | undefined
}): string {
  const published = functions.filter(({ web }) => web !== false).map(({ name, qualifiedName }) => `  ${address}/${name}  ${qualifiedName}`)
  const applied = Array.isArray(migrated.applied) ? migrated.applied.length : 0
  return [
    'Running:',
    ...published,
    ...describeSchedules(address, schedules, runSchedules),
    `Database: ${databaseUrl}${applied > 0 ? ` (${applied} ${applied === 1 ? 'migration' : 'migrations'} applied)` : ''}`,
    `Redis: ${typeof redis === 'string' ? NO_REDIS[redis] : redis.url}`,
    ...describeLeftOut(leftOut),
    `Data: ${data.folder}${data.reason === undefined ? '' : ` (${data.reason})`}`,
    ...(inspected === undefined ? [] : [`Debugger: ${inspected} on 127.0.0.1:${INSPECTOR_PORT}`]),
    'Ctrl-C ends it; the data stays.',
  ].join('\n')
}

function describeLeftOut(names: readonly string[]): string[] {
  if (names.length === 0) return []
  const more = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : ''
  return [`Not passed on: ${names.slice(0, NAMES_SHOWN).join(', ')}${more} of the shell; functions get the settings in ${LOCAL_FILE}`]
}

function describeSchedules(address: string, schedules: readonly ScheduleDescription[], runSchedules: boolean): string[] {
  if (schedules.length === 0) return []
  const heading = runSchedules ? 'Schedules (UTC' : 'Schedules (off: --no-schedules'
  return [
    `${heading}; POST to one fires it now):`,
    ...schedules.map(
      ({ name, cron, enabled, qualifiedName }) =>
        `  ${address}/${SCHEDULE_ROUTE}/${name}  ${cron}  ${qualifiedName}${enabled ? '' : ' (not enabled)'}`,
    ),
  ]
}

/** The commands, and for how long the signed one works; empty when there are none. */
export function describeSamples({ webhook, requests, goodUntil }: SampleCommands): string {
  if (webhook === undefined && requests.length === 0) return ''
  const signed = `A signed webhook, good until ${goodUntil.toLocaleTimeString('en-GB')}; sent again it is a duplicate:`
  return [
    '',
    ...(webhook === undefined ? [] : [signed, webhook, '']),
    ...requests.flatMap(({ title, command }) => [`${title}:`, command, '']),
    'Enter prints fresh ones.',
  ].join('\n')
}
