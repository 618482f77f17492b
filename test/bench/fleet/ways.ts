import { digestOf } from '../../../lib/functions-runtime/src/edge/auth.ts'
import { type WebRequest } from '../../../lib/functions-devkit/test/support/platform/events.ts'
import { packBench, packOurs } from './bundle.ts'
import { SEEDED_USER, type Route } from './stage.ts'

/** One way of using the database from a container. */
export interface Way {
  name: string
  zip: Buffer
  environment(route: Route): Record<string, string>
}

const API_KEY = 'key_of-the-bench-0123456789'
const API_KEYS = `bench/users:read,users:write,transactions:write/${digestOf(API_KEY).toString('hex')}`

/** Ours and its rivals, in the order in which they are shown. */
export async function waysToCompare(): Promise<Way[]> {
  const byUrl = ({ url }: Route) => ({ DATABASE_URL: url })
  return [
    { name: 'ours', zip: await packOurs('api/user'), environment: route => ({ ...settingsFor(route), API_KEYS }) },
    { name: 'stock Sequelize', zip: await packBench('stock-sequelize'), environment: byUrl },
    { name: 'client per call', zip: await packBench('client-per-call'), environment: byUrl },
  ]
}

/** A function of ours that keeps its connection busy. */
export async function sleepingWay(): Promise<Way> {
  return { name: 'ours', zip: await packBench('sleep'), environment: settingsFor }
}

/** The variables of a function of ours; all others as they are by default. */
function settingsFor({ address, pooled }: Route): Record<string, string> {
  return {
    DB_HOST: address.host,
    DB_PORT: String(address.port),
    DB_NAME: address.database,
    DB_USER: address.user,
    DB_PASSWORD: address.password,
    DB_SSLMODE: 'disable',
    DB_POOLER: pooled ? 'transaction' : 'none',
    LOG_LEVEL: 'error',
  }
}

const headers = { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' }
let written = 0

/** Reads the user that is there. */
export function readRequest(): WebRequest {
  return { method: 'GET', path: `/${SEEDED_USER}`, headers }
}

/** Creates a user that nobody else creates. */
export function writeRequest(): WebRequest {
  written += 1
  return { method: 'POST', headers, body: JSON.stringify({ email: `${process.pid}-${written}-${Date.now()}@example.com`, name: 'Bench' }) }
}
