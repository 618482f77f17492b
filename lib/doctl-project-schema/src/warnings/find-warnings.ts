import { functionsOf } from '../functions-of.ts'
import { type ProjectFile } from '../parse-project.ts'
import { shortestGapMs } from '../schema/cron-gap.ts'
import { type Project } from '../schema/project.ts'
import { memoryForBundle } from './memory.ts'
import { type Warning, type WarningDetails, warningOf } from './warning.ts'
import { type WarningCode } from './wordings.ts'

/** The platform answers a web call that is still running after so long with 202. */
const LONGEST_WEB_CALL_MS = 30_000

/** Variables that node reads when it starts, which is before the platform sets them. */
const LATE_VARIABLES: ReadonlySet<string> = new Set(['NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS'])

export interface WarningOptions {
  /** Bytes that each function deploys, by `package/function`; a function without a number is not measured. */
  bundleBytes?: Readonly<Record<string, number>>
}

/** What the parsed file tells of a project that is valid, but may not do what is meant. */
export function findWarnings(source: Project | ProjectFile, { bundleBytes = {} }: WarningOptions = {}): Warning[] {
  const file = 'project' in source ? source : undefined
  const project = 'project' in source ? source.project : source
  const warnings: Warning[] = []
  const warn = (code: WarningCode, path: (string | number)[], details: Omit<WarningDetails, 'file' | 'path' | 'position'>) =>
    warnings.push(
      warningOf(code, {
        file: file?.fileName ?? 'project.yml',
        path: file?.nameOf(path) ?? path.join('.'),
        position: file?.locate(path),
        ...details,
      }),
    )

  const sharedEnvironment = (owner: { environment?: unknown }, path: (string | number)[], subject: string) => {
    if (isFilled(owner.environment)) warn('shared-environment', [...path, 'environment'], { subject })
  }
  sharedEnvironment(project, [], 'project')

  const functions = new Map(functionsOf(project).map(entry => [entry.qualifiedName, entry]))
  project.packages.forEach((pkg, packageIndex) => {
    sharedEnvironment(pkg, ['packages', packageIndex], pkg.name)
    pkg.functions?.forEach((entry, index) => {
      const path = ['packages', packageIndex, 'functions', index]
      const subject = `${pkg.name}/${entry.name}`
      const resolved = functions.get(subject)
      if (!resolved) return
      const { limits, triggers, environment } = resolved
      const isPublic = entry.web !== false

      if (isPublic && typeof entry.webSecure !== 'string') warn('public-without-authentication', [...path, 'web'], { subject })
      if (isPublic && limits.timeout > LONGEST_WEB_CALL_MS) warn('slow-public', [...path, 'limits', 'timeout'], { subject })
      if (isPublic) {
        const owners = [
          { owner: entry, at: path },
          { owner: pkg, at: path.slice(0, 2) },
          { owner: project, at: [] },
        ]
        const bound = owners.find(({ owner }) => isFilled(owner.parameters))
        if (bound) warn('bound-parameters', [...bound.at, 'parameters'], { subject, detail: Object.keys(bound.owner.parameters ?? {}).join(', ') })
      }
      if (entry.remoteBuild === true) warn('remote-build', [...path, 'remoteBuild'], { subject })

      const bytes = bundleBytes[subject]
      if (bytes !== undefined && limits.memory < memoryForBundle(bytes)) {
        const detail = `${limits.memory} MB is little for a bundle of ${bytes} bytes: at least ${memoryForBundle(bytes)} MB leaves room for the work`
        warn('small-memory', [...path, 'limits', 'memory'], { subject, detail })
      }

      triggers.forEach((trigger, triggerIndex) => {
        const gapMs = shortestGapMs(trigger.cron)
        if (!trigger.enabled || limits.timeout <= gapMs) return
        const detail = `its time limit is ${limits.timeout / 1000} s, and the schedule fires every ${gapMs / 1000} s at its densest`
        warn('schedule-overlap', [...path, 'triggers', triggerIndex, 'scheduledDetails', 'cron'], { subject: trigger.name, detail })
      })

      for (const name of Object.keys(environment)) {
        const detail = { subject: `${subject}/${name}`, detail: name }
        if (LATE_VARIABLES.has(name)) warn('late-variable', [...path, 'environment', name], detail)
        if (name === 'LOG_DESTINATIONS') warn('log-forwarding', [...path, 'environment', name], detail)
      }
    })
  })
  return warnings
}

function isFilled(map: unknown): boolean {
  return typeof map === 'object' && map !== null && Object.keys(map).length > 0
}
