import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { functionsOf, parseProject, placeholderEnvironment } from '../../../doctl-project-schema/src/index.ts'
import { APPLICATION_FOLDER } from '../../src/application-folder.ts'
import { builtApplication } from './built-application.ts'
import type { TestDatabase } from './database.ts'
import { environmentFor } from './functions.ts'
import { startContainer, type Container } from './platform/container.ts'
import { webEvent, type WebRequest } from './platform/events.ts'
import { packZip } from './platform/pack-function.ts'
import { webAnswer } from './platform/web-answer.ts'

const text = readFileSync(join(APPLICATION_FOLDER, 'project.yml'), 'utf8')
export const functions = functionsOf(parseProject(text, placeholderEnvironment(text)))

/** A container of one of our functions, with exactly the variables that project.yml passes to it; of another checkout's bundles if that is given. */
export async function containerOf(
  name: string,
  runtime: 'apache' | 'digitalocean',
  database: TestDatabase,
  changes: Record<string, string> = {},
  given?: string,
): Promise<Container> {
  const declared = functions.find(({ qualifiedName }) => qualifiedName === name)
  if (!declared) throw new Error(`project.yml does not declare ${name}`)
  const values: Record<string, string> = { ...environmentFor(database), LOG_LEVEL: 'info', ...changes }
  const environment = Object.fromEntries(Object.keys(declared.environment).map(variable => [variable, values[variable] ?? 'none']))
  const checkout = given ?? (await builtApplication())
  return startContainer({ zip: await packZip(checkout, name), runtime, environment, limits: declared.limits, name })
}

/** Calls a container over the web, in raw mode. */
export async function callWeb(container: Container, request: WebRequest) {
  return readOutcome(await container.run(webEvent(request, 'raw')))
}

/** What a web call has answered, and what it logged. */
export function readOutcome(outcome: Awaited<ReturnType<Container['run']>>) {
  const answer = webAnswer(outcome)
  return {
    status: answer.status,
    headers: answer.headers,
    body: JSON.parse(answer.body || 'null') as Record<string, unknown>,
    lines: logLines(outcome.logs.stdout),
    stderr: outcome.logs.stderr,
  }
}

function logLines(stdout: string): Record<string, unknown>[] {
  return stdout
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as Record<string, unknown>)
}
