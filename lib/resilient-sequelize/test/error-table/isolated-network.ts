import { spawn, spawnSync } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { join } from 'node:path'
import { type Provocations } from './provocation.ts'

// A namespace of one's own needs root, real or within it.
const WAYS = [
  ['unshare', '--map-root-user', '--net'],
  ['sudo', '--non-interactive', 'unshare', '--net'],
]
const way = WAYS.find(([program = '', ...parts]) => spawnSync(program, [...parts, 'ip', 'link', 'set', 'lo', 'up']).status === 0)
if (!way && process.env.CI) throw new Error('no network namespace can be made: the errors of a broken network cannot be left out here')
if (!way) console.warn('SKIPPED: the errors of a broken network, because no network namespace can be made (Linux, with the programs unshare and ip)')

const isolated = { possible: way !== undefined }

/** What a network does that is broken, in a namespace where it may be. */
export const networkProvocations: Provocations<undefined> = {
  EHOSTUNREACH: [{ when: 'the host cannot be reached', raise: () => raiseIsolated('unreachable'), ...isolated }],
  EAI_AGAIN: [{ when: 'the resolver cannot be reached', raise: () => raiseIsolated('resolver'), ...isolated }],
  'ETIMEDOUT:connect': [{ when: 'every packet to the server is lost', raise: () => raiseIsolated('swallowed'), ...isolated }],
  ETIMEDOUT: [{ when: 'packets get lost after the log-in', raise: () => raiseIsolated('lost'), ...isolated }],
}

async function raiseIsolated(name: string): Promise<never> {
  const [program = '', ...parts] = way ?? []
  const script = join(import.meta.dirname, 'cut-off-network.ts')
  const child = spawn(program, [...parts, process.execPath, script, name], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [printed, log] = await Promise.all([text(child.stdout), text(child.stderr)])
  if (printed === '') throw new Error(`no error came out of the namespace: ${log}`)
  const { message, ...rest } = JSON.parse(printed) as { message: string }
  throw Object.assign(new Error(message), rest)
}
