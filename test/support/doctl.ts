import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

/** What the stand-in does wrong: names of functions, schedules or variables for each, or simply whether. */
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
    | 'slow',
    readonly string[]
  >
> &
  Partial<Record<'notConnected' | 'deployCrashes' | 'skipTriggers' | 'complains' | 'statusZero' | 'triggersUnreadable', boolean>>

interface Platform {
  readonly functions: Record<string, { version: string; limits: Record<string, number>; [key: string]: unknown }>
  readonly triggers: Record<string, Record<string, unknown>>
}

/** A namespace of its own behind the stand-in for doctl. */
export function createDoctl() {
  const state = mkdtempSync(join(tmpdir(), 'doctl-'))
  const file = join(state, 'platform.json')
  return {
    /** With it, the doctl that is found is the stand-in. */
    environment: {
      DOCTL_STATE: state,
      PATH: [join(import.meta.dirname, 'doctl'), join(import.meta.dirname, '../../node_modules/.bin'), process.env.PATH].join(delimiter),
    },
    setFaults: (faults: DoctlFaults) => writeFileSync(join(state, 'faults.json'), JSON.stringify(faults)),
    /** What is on the platform. */
    read: (): Platform => (existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Platform) : { functions: {}, triggers: {} }),
    write: (platform: Platform) => writeFileSync(file, JSON.stringify({ packages: {}, ...platform })),
    /** How it was called so far. */
    calls: () => (existsSync(join(state, 'calls.log')) ? readFileSync(join(state, 'calls.log'), 'utf8').trimEnd().split('\n') : []),
    [Symbol.dispose]: () => rmSync(state, { recursive: true }),
  }
}
