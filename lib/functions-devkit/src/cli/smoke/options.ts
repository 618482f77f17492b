import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { application } from '../../application.ts'
import { isLoopback } from '../../server/loopback.ts'
import { APPLICATION_FOLDER } from '../../application-folder.ts'

export interface SmokeOptions {
  /** Of the package `api`, without a slash at its end; undefined for the server that `npm start` runs here. */
  readonly url: string | undefined
  /** Also goes through an outage of the database, with a person who makes it. */
  readonly outage: boolean
}

const { scopes } = application.smoke
const KEY =
  scopes.length === 0
    ? 'Reads WEBHOOK_SECRET_DEMO and HEALTH_KEY as the functions do. They may stand in .env.'
    : `Reads WEBHOOK_SECRET_DEMO and HEALTH_KEY as the functions do, and SMOKE_API_KEY: a key with the scopes
${scopes.join(', ')}. They may stand in .env.`

export const USAGE = `usage: npm run smoke -- [<url>] [--outage]

  <url>      where the functions are: what stands before /webhook and /health
             (doctl serverless functions get api/health --url tells); without it the server that npm start runs here
  --outage   also checks what becomes of webhooks while the database is away; you take it away, and bring it back

${KEY} Exit status: 0 all is well, 1 something is not, 2 wrong usage.`

/**
 * Reads what stands behind `npm run smoke --`.
 * @throws Error with the usage for anything else.
 */
export function readSmokeOptions(args: readonly string[]): SmokeOptions {
  try {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: { outage: { type: 'boolean', default: false } } })
    const [url, ...more] = positionals
    if (more.length > 0) throw new Error('One URL is enough')
    return { url: url === undefined ? undefined : readUrl(url), outage: values.outage }
  } catch (cause) {
    throw new Error(`${(cause as Error).message}\n${USAGE}`, { cause })
  }
}

function readUrl(text: string): string {
  const url = URL.parse(text)
  if (url === null || !['https:', 'http:'].includes(url.protocol)) throw new Error('The URL has to begin with https:// or http://')
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') {
    throw new Error('The URL has to end with its path, and holds no password')
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) throw new Error('The URL has to begin with https://: keys are sent there')
  // The address of a function may have been pasted.
  const path = url.pathname.replace(/\/$/, '')
  const name = basename(path)
  const isFunction = name !== '' && existsSync(join(APPLICATION_FOLDER, 'packages/api', name))
  return `${url.origin}${isFunction ? path.slice(0, -name.length - 1) : path}`
}
