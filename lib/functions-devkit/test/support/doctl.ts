import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

/** Faults of the stand-in: by name of function, trigger or variable, or as a switch. */
export type DoctlFaults = Partial<
  Record<
    | 'refuse'
    | 'wrongKind'
    | 'public'
    | 'notWeb'
    | 'keepLimits'
    | 'loseEnvironment'
    | 'loseVariables'
    | 'dropTriggers'
    | 'refuseTriggers'
    | 'disable'
    | 'otherCron'
    | 'slow'
    | 'neverEnds'
    | 'timesOut'
    | 'throttled'
    | 'unavailable'
    | 'unreadable',
    readonly string[]
  >
> &
  Partial<
    Record<
      | 'notConnected'
      | 'noToken'
      | 'legacy'
      | 'snap'
      | 'outputJson'
      | 'deployCrashes'
      | 'skipTriggers'
      | 'complains'
      | 'statusZero'
      | 'functionsUnreadable'
      | 'triggersUnreadable',
      boolean
    >
  >

interface Platform {
  readonly packages?: Record<string, { environment: Record<string, string> }>
  readonly functions: Record<string, { version: string; limits: Record<string, number>; [key: string]: unknown }>
  readonly triggers: Record<string, Record<string, unknown>>
}

/** A namespace of its own behind the stand-in for doctl, whose rows are in doctl.test.ts, beside this file. */
export function createDoctl() {
  const state = mkdtempSync(join(tmpdir(), 'doctl-'))
  const file = join(state, 'platform.json')
  return {
    /** With it, the doctl that is found is the stand-in. */
    environment: {
      DOCTL_STATE: state,
      PATH: [join(import.meta.dirname, 'doctl'), join(import.meta.dirname, '../../../../node_modules/.bin'), process.env.PATH].join(delimiter),
    },
    setFaults: (faults: DoctlFaults) => writeFileSync(join(state, 'faults.json'), JSON.stringify(faults)),
    /** What is on the platform. */
    read: (): Platform => (existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Platform) : { functions: {}, triggers: {} }),
    write: (platform: Platform) => writeFileSync(file, JSON.stringify(platform)),
    /** How it was called so far. */
    calls: () => (existsSync(join(state, 'calls.log')) ? readFileSync(join(state, 'calls.log'), 'utf8').trimEnd().split('\n') : []),
    [Symbol.dispose]: () => rmSync(state, { recursive: true }),
  }
}
