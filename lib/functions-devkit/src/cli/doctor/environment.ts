import { existsSync, readFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import type { Environment } from '../../../../functions-runtime/src/settings/settings.ts'
import { environmentFileWarnings, ProjectFileError, readEnvironmentFile, resolveEnvironment } from '../../../../doctl-project-schema/src/index.ts'
import { findingsOf, type Finding } from './finding.ts'

type Warnings = ReturnType<typeof environmentFileWarnings>

/** The variables as the deployer will see them. */
export interface DeployEnvironment {
  readonly variables: Environment
  readonly warnings: Warnings
  readonly findings: readonly Finding[]
}

const settings = findingsOf('settings')

/** Reads the file of variables and puts what the shell has over it, as the deployer does. */
export function readDeployEnvironment(checkout: string, file: string, shell: Environment): DeployEnvironment {
  const path = resolve(checkout, file)
  if (!existsSync(path)) {
    return {
      variables: resolveEnvironment({}, shell),
      warnings: [],
      findings: [settings.fail(`there is no ${basename(file)}`, 'cp .env.example .env, then fill it in')],
    }
  }
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const reason = `${basename(file)} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`
    const findings = [settings.fail(reason, 'name a file that you may read: --env FILE')]
    return { variables: resolveEnvironment({}, shell), warnings: [], findings }
  }
  try {
    const written = readEnvironmentFile(text, { fileName: basename(file) })
    return { variables: resolveEnvironment(written, shell), warnings: environmentFileWarnings(text, written, shell, basename(file)), findings: [] }
  } catch (error) {
    if (!(error instanceof ProjectFileError)) throw error
    return {
      variables: resolveEnvironment({}, shell),
      warnings: [],
      findings: [settings.fail(`${basename(file)} cannot be read`, error.issues.map(({ fix }) => fix).join('; '))],
    }
  }
}
