import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { isLoopback } from '../../server/loopback.ts'
import { APPLICATION_FOLDER } from '../../application-folder.ts'
import { defineCommand } from '../define-command.ts'

export interface SmokeOptions {
  /** Of the package `api`, without a slash at its end; undefined for the server that `npm start` runs here. */
  readonly url: string | undefined
  /** Also goes through an outage of the database, with a person who makes it. */
  readonly outage: boolean
  readonly json: boolean
}

const FLAG = { type: 'boolean', default: false } as const

export const command = defineCommand({
  usage: `usage: npm run smoke -- [<url> | --local] [--outage] [--json]

  <url>      where the functions are: what stands before /webhook and /health
             (doctl serverless functions get api/health --url tells)
  --local    the npm start that is running, with its own keys; the default without a URL
  --outage   also checks what becomes of webhooks while the database is away; you take it away, and bring it back
  --json     print { "url", "failed", "checks" } instead of a line for each check; questions go to standard error

For a URL it reads WEBHOOK_SECRET_DEMO and HEALTH_KEY as the functions do, and SMOKE_API_KEY: a key with the scopes that the
application's checks need. They may stand in .env.

Exit status: 0 all is well, 1 something is not, 2 wrong usage or nothing checked.`,
  options: { local: FLAG, outage: FLAG, json: FLAG },
  takesWords: true,
  read({ values: { local, outage, json }, words: [url, ...more] }): SmokeOptions {
    if (more.length > 0) throw new Error('One URL is enough')
    if (local && url !== undefined) throw new Error('--local takes no URL')
    return { url: url === undefined ? undefined : readUrl(url), outage, json }
  },
})

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
