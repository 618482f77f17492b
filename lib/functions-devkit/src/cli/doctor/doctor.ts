import { asLine } from '../../../../functions-runtime/src/foreign-text.ts'
import { styleText } from 'node:util'
import type { Environment } from '../../../../functions-runtime/src/settings/settings.ts'
import { databaseSettings } from '../../../../functions-runtime/src/database/settings.ts'
import { checkBuffer } from './buffer.ts'
import type { Doctl } from '../doctl/doctl.ts'
import { checkDatabase } from './database/check.ts'
import { followParts, NO_PROGRESS, type Progress } from '../progress.ts'
import { checkDoctl } from './doctl.ts'
import { readDeployEnvironment } from './environment.ts'
import type { Finding } from './finding.ts'
import { checkBuild, checkTree } from './project.ts'
import { hidingSecrets } from './secrecy.ts'
import { checkSecrets } from './secrets.ts'
import { checkSettings } from './settings.ts'

export interface DoctorOptions {
  readonly checkout: string
  /** The file of variables, as the deployer is told. */
  readonly file: string
  /** The environment of the shell, which the deployer puts over the file's. */
  readonly shell: Environment
  readonly containers: number
  /** Whether to build and prove the bundles. */
  readonly build: boolean
  readonly doctl: Doctl
  readonly progress?: Progress
  /** Epoch ms. */
  readonly now?: () => number
}

/** Checks everything that a deployment depends on and changes nothing. Each check has a time limit of its own. */
export async function examine({
  checkout,
  file,
  shell,
  containers,
  build,
  doctl,
  progress = NO_PROGRESS,
  now = Date.now,
}: DoctorOptions): Promise<Finding[]> {
  const { variables, warnings, findings } = readDeployEnvironment(checkout, file, shell)
  const lines = findings.length > 0 ? [findings] : await examineAll()
  const hide = hidingSecrets(variables)
  return lines.flat().map(one => ({ ...one, reason: hide(one.reason), ...(one.cure === undefined ? {} : { cure: hide(one.cure) }) }))

  async function examineAll(): Promise<(readonly Finding[])[]> {
    const names = ['settings', 'project.yml', ...(build ? ['build'] : []), 'doctl', 'database', 'outage buffer']
    const part = followParts('checking', names, progress)
    const [settings, tree, bundles, connection, database, buffer] = await Promise.all([
      part('settings', () => checkSettings(checkout, variables)),
      part('project.yml', () => checkTree(checkout, variables, warnings)),
      build ? part('build', () => checkBuild(checkout)) : undefined,
      part('doctl', () => checkDoctl(checkout, doctl)),
      part('database', () => checkDatabase({ variables, containers, now })),
      part('outage buffer', () => checkBuffer(variables)),
    ])
    const password = databaseSettings.parse(variables).value?.password
    return [settings, tree, bundles ?? [], connection, database, buffer, checkSecrets(variables, { password })]
  }
}

/** 0: all is well, 1: warnings, 2: something is in the way. */
export function statusOf(findings: readonly Finding[]): 0 | 1 | 2 {
  if (findings.some(({ status }) => status === 'fail')) return 2
  return findings.some(({ status }) => status === 'warn') ? 1 : 0
}

/** One line for each finding, with its cure below. */
export function describeFindings(findings: readonly Finding[], { colour = false }: { colour?: boolean } = {}): string {
  const colours = { ok: 'green', warn: 'yellow', fail: 'red' } as const
  const width = Math.max(0, ...findings.map(({ check }) => check.length))
  return findings
    .map(({ check, status, reason, cure }) => {
      const word = colour ? styleText(colours[status], status.padEnd(4), { validateStream: false }) : status.padEnd(4)
      return `${word}  ${check.padEnd(width)}  ${shown(reason)}\n${cure === undefined ? '' : `${' '.repeat(width + 8)}→ ${shown(cure)}\n`}`
    })
    .join('')
}

// A reason may quote what a server or a certificate says.
function shown(text: string): string {
  return asLine(text, { maxLength: 2_000 })
}
