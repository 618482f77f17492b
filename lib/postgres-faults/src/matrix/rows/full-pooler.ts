import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type Repetition } from '../repetition.ts'
import { type Row } from '../row.ts'

const CLIENTS = 'no more clients'
const SESSIONS = 'no session to lend'
const SILENT = `${SESSIONS}, and no word about it`
const A_WHILE = ', for a while'
const FOR_GOOD = ', for good'
const WHILE_MS = 800
const LOOK_AGAIN_MS = 10
const MOST_CLIENTS = 3
const CALLS = 2

/** A real pooler that is full: it has as many clients as it takes, or others hold all sessions that it lends. */
export const fullPooler: Row = {
  number: 12,
  fault: 'pooler full',
  variants: [CLIENTS, SESSIONS, SILENT].flatMap(what => [what + A_WHILE, what + FOR_GOOD]),
  pooler: variant => {
    if (variant.startsWith(CLIENTS)) return { max_client_conn: String(MOST_CLIENTS), client_idle_timeout: '60' }
    return { default_pool_size: '1', query_wait_timeout: variant.startsWith(SILENT) ? '120' : '0.3' }
  },
  // Never `database-unavailable`: it is a queue, and counts for no breaker.
  codes: ({ variant }) => (variant.endsWith(FOR_GOOD) ? ['database-busy'] : []),
  async scenario(repetition) {
    const { call, manager, find, variant } = repetition
    const crowd = variant.startsWith(CLIENTS) ? await fillClients(repetition) : [await holdSession(repetition)]
    const calls = Promise.all(Array.from({ length: CALLS }, () => call()))
    try {
      if (variant.endsWith(FOR_GOOD)) await calls
      else await sleep(WHILE_MS)
    } finally {
      await Promise.all(crowd.map(client => client.end()))
    }
    const outcomes = (await calls).map(({ outcome }) => outcome.kind)
    if (outcomes.includes('ok') === variant.endsWith(FOR_GOOD)) find(`calls ended in ${outcomes.join(', ')}`)
    if (manager.breaker.state.kind !== 'closed') find(`the breaker is ${manager.breaker.state.kind}`)
    if ((await call()).outcome.kind !== 'ok') find('the container is not as good as before')
  },
}

// Somebody who has only looked whether the pooler is there may still count for a moment.
async function fillClients(repetition: Repetition): Promise<pg.Client[]> {
  const crowd: pg.Client[] = []
  while (crowd.length < MOST_CLIENTS) {
    try {
      crowd.push(await openClient(repetition))
    } catch (error) {
      if (!/no more connections allowed/.test(String(error))) throw error
      await sleep(LOOK_AGAIN_MS)
    }
  }
  return crowd
}

async function holdSession(repetition: Repetition): Promise<pg.Client> {
  const client = await openClient(repetition)
  await client.query('BEGIN')
  await client.query('SELECT 1')
  return client
}

async function openClient({ target, database: { server, name } }: Repetition): Promise<pg.Client> {
  const client = new pg.Client({ ...target, user: server.user, password: server.password, database: name })
  client.on('error', () => {})
  await client.connect()
  return client
}
