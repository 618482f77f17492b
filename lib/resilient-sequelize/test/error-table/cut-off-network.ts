import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { startFakeServer } from './fake-server.ts'
import { Stage } from './stage.ts'

/**
 * Runs one provocation in a network namespace of its own, where no harm can be done, and prints the error as JSON. A
 * process started by isolated-network.ts, never within the tests' own.
 */

// Addresses that are set aside for documentation.
const UNREACHABLE = '192.0.2.1'
const SWALLOWED = '192.0.2.2'
const LOST = '192.0.2.3'
const PORT = 5432
const SECRET = { user: 'anybody', password: 'anything' }

const provocations: Record<string, () => Promise<unknown>> = {
  async unreachable() {
    ip('route', 'add', 'unreachable', UNREACHABLE)
    await connectTo(UNREACHABLE)
  },
  resolver: () => connectTo('nothing.invalid'),
  // The loopback device takes packets for any address and drops those of others.
  async swallowed() {
    writeFileSync('/proc/sys/net/ipv4/tcp_syn_retries', '1')
    ip('route', 'add', SWALLOWED, 'dev', 'lo')
    await connectTo(SWALLOWED)
  },
  async lost() {
    writeFileSync('/proc/sys/net/ipv4/tcp_retries2', '1')
    ip('address', 'add', `${LOST}/32`, 'dev', 'lo')
    await startFakeServer({ at: { host: LOST, port: PORT } })
    const { run } = await new Stage({ host: LOST, port: PORT, ...SECRET }, 'any').open()
    ip('address', 'del', `${LOST}/32`, 'dev', 'lo')
    ip('route', 'add', LOST, 'dev', 'lo')
    await run('SELECT 1')
  },
}

async function connectTo(host: string): Promise<void> {
  await new Stage({ host, port: PORT, ...SECRET }, 'any').open()
}

function ip(...parts: string[]): void {
  const { status, stderr } = spawnSync('ip', parts, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`ip ${parts.join(' ')}: ${stderr}`)
}

/** The parts of an error by which it is told, and of the one it was made from. */
function printable(error: unknown): object | undefined {
  if (!(error instanceof Error)) return undefined
  const { code, syscall, original } = error as NodeJS.ErrnoException & { original?: unknown }
  return { name: error.name, message: error.message, code, syscall, original: printable(original) }
}

ip('link', 'set', 'lo', 'up')
await provocations[process.argv[2] ?? '']?.().catch((error: unknown) => process.stdout.write(JSON.stringify(printable(error))))
process.exit()
