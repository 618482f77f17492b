import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { addressOf, useNpmStart } from './support/npm-start.ts'
import { commandTo, paste } from './support/paste.ts'
import { readForCheckout } from './support/tested-application.ts'

const stage = useNpmStart()
const MARK = 'of-production'

let connections = 0
const production = createServer(socket => {
  connections += 1
  socket.destroy()
})

beforeEach(async () => {
  connections = 0
  production.listen(0, '127.0.0.1')
  await once(production, 'listening')
})

afterEach(() => {
  production.close()
  stage.restoreHealth()
  stage.restore('project.yml')
  for (const file of ['.env', '.env.local']) stage.write(file, '')
})

/** What leads to servers, with the port of one that counts connections. */
function addresses(): Record<string, string> {
  const { port } = production.address() as AddressInfo
  const database = { host: '127.0.0.1', port: String(port), user: MARK, password: MARK, name: MARK }
  const url = `postgresql://${MARK}:${MARK}@127.0.0.1:${port}/${MARK}`
  return {
    ...{ DB_CONNECTION_URL: url, DB_MIGRATION_URL: url, DB_SSLMODE: 'require', DB_CA_CERT: MARK },
    ...Object.fromEntries(Object.entries(database).map(([name, value]) => [`DB_${name.toUpperCase()}`, value])),
    ...{ PGHOST: '127.0.0.1', PGPORT: String(port), PGUSER: MARK, PGPASSWORD: MARK, PGDATABASE: MARK },
    ...{ REDIS_URL: `redis://:${MARK}@127.0.0.1:${port}`, REDIS_CA_CERT: MARK },
    ...{ ALERT_URL: `https://127.0.0.1:${port}/${MARK}`, HEARTBEAT_URL: `https://127.0.0.1:${port}/${MARK}` },
  }
}

const fileOf = (variables: Record<string, string>) =>
  Object.entries(variables)
    .map(([name, value]) => `${name}="${value}"\n`)
    .join('')

// project.yml holds the address itself, in place of a variable.
function withLiterals(project: string, variables: Record<string, string>): string {
  const lines = Object.entries(variables).map(([name, value]) => `          ${name}: ${JSON.stringify(value)}\n`)
  const [placeholder, environment] = [/ *- \$\((\w+)\)\n/g, / {8}environment:\n/g]
  const left = project.replace(placeholder, (line, name: string) => (Object.hasOwn(variables, name) ? '' : line))
  return left.replace(environment, line => line + lines.join(''))
}

test('npm start connects to no address of a deployment and passes none on', async () => {
  const secrets = { API_KEYS: MARK, HEALTH_KEY: MARK, PAYLOAD_KEY: MARK, WEBHOOK_SECRET_DEMO: MARK, DB_SCHEMA: MARK, LOG_LEVEL: MARK }
  const deployment = { ...addresses(), ...secrets, SLOW_OPERATION_MS: '1' }
  stage.write('.env', fileOf(deployment))
  stage.write('.env.local', fileOf({ ...addresses(), SLOW_OPERATION_MS: '1234' }))
  const { ALERT_URL = '', HEARTBEAT_URL = '', DB_HOST = '', DB_MIGRATION_URL = '', REDIS_URL = '', PGHOST = '', PGPORT = '' } = addresses()
  const literals = { ALERT_URL, HEARTBEAT_URL, DB_HOST, DB_MIGRATION_URL, REDIS_URL, PGHOST, PGPORT }
  stage.write('project.yml', withLiterals(readForCheckout('project.yml').toString(), literals))
  const server = await stage.launchAndWait({ environment: deployment })
  expect(server.output()).toMatch(/^Not passed on: \S+, \S+, \S+ and \d+ more of the shell/m)

  expect(await paste(commandTo('/webhook/demo', server))).toMatchObject({ status: 200, body: { outcome: 'applied' } })
  for (const schedule of ['health-every-5-minutes', 'maintenance-every-minute']) {
    const fired = await fetch(`${addressOf(server)}/__schedule/${schedule}`, { method: 'POST' })
    expect(fired.status).toBe(200)
  }

  const tellAll = 'export const main = async () => ({ statusCode: 203, body: JSON.stringify(process.env) })'
  stage.writeHealth(tellAll)
  const ask = () => fetch(`${addressOf(server)}/health`)
  await expect.poll(async () => (await ask()).status, { timeout: 30_000 }).toBe(203)
  const variables = (await (await ask()).json()) as Record<string, string>
  expect(Object.entries(variables).filter(([, value]) => value.includes(MARK))).toEqual([])
  expect(variables).toMatchObject({ SLOW_OPERATION_MS: '1234', ALERT_URL: 'none', HEARTBEAT_URL: 'none' })
  expect(variables.REDIS_URL).toBe(/^Redis: (redis:\S+)$/m.exec(server.output())?.[1] ?? 'none')
  expect(variables).toMatchObject({
    DB_HOST: 'none',
    DB_MIGRATION_URL: variables.DB_CONNECTION_URL,
    PGPORT: new URL(variables.DB_CONNECTION_URL ?? '').port,
  })
  expect(variables.DB_CONNECTION_URL).toBe(/^Database: (\S+)/m.exec(server.output())?.[1])
  expect(connections).toBe(0)
})
