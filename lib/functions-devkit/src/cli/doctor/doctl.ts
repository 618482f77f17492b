import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod/mini'
import { functionsOf, parseProject, placeholderEnvironment, ProjectFileError } from '../../../../doctl-project-schema/src/index.ts'
import { CONNECT, INSTALL, TOKEN } from '../doctl/cures.ts'
import { DoctlError, type Doctl } from '../doctl/doctl.ts'
import { reasonOf } from '../doctl/reason.ts'
import { findingsOf, type Finding } from './finding.ts'
import { SilenceError, within } from './within.ts'

const { ok, warn, fail } = findingsOf('doctl')
// Each call is one request.
const WITHIN_MS = 10_000
const credentials = z.object({ auth: z.string() })

/** Checks that doctl is installed, connected with an access key, and may manage the triggers of the project. */
export async function checkDoctl(checkout: string, doctl: Doctl): Promise<Finding[]> {
  try {
    return await within(WITHIN_MS, examine(checkout, doctl))
  } catch (error) {
    if (error instanceof SilenceError) return [warn('does not answer', 'check the network, then try again')]
    if (!(error instanceof DoctlError)) throw error
    return [warn('is not installed, or not in PATH', `${INSTALL}; then ${CONNECT}`)]
  }
}

async function examine(checkout: string, doctl: Doctl): Promise<Finding[]> {
  // Hidden, and the only call that shows what kind of key doctl uses. It holds the key itself: never print it.
  const status = await doctl('serverless', 'status', '--credentials')
  if (status.status !== 0) {
    const reason = reasonOf(status)
    if (/access token is required/.test(reason)) return [warn('has no API token', `${TOKEN}; then ${CONNECT}`)]
    return [warn(`is not connected to a namespace (${reason})`, CONNECT)]
  }
  const { auth } = credentials.safeParse(parse(status.stdout)).data ?? {}
  const legacy = auth !== undefined && !auth.startsWith('dof_v1_')
  const findings = [
    ...(legacy ? [warn('is connected with the token of the namespace, which DigitalOcean no longer accepts since 3 June 2026', CONNECT)] : []),
    ...(hasTriggers(checkout) ? await checkTriggers(doctl) : []),
  ]
  return findings.length > 0 ? findings : [ok('installed and connected with an access key')]
}

// Without the token a deployment skips triggers and ends with 0.
async function checkTriggers(doctl: Doctl): Promise<Finding[]> {
  const result = await doctl('serverless', 'triggers', 'list', '--output', 'json')
  if (result.status === 0) return []
  return [fail(`may not manage the schedules of project.yml (${reasonOf(result)})`, TOKEN)]
}

function hasTriggers(checkout: string): boolean {
  const text = readFileSync(join(checkout, 'project.yml'), 'utf8')
  try {
    return functionsOf(parseProject(text, placeholderEnvironment(text))).some(({ triggers }) => triggers.length > 0)
  } catch (error) {
    // The check of the project reports it.
    if (error instanceof ProjectFileError) return false
    throw error
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
