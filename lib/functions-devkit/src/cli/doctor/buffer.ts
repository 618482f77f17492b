import { readSettings, SettingsError, type Environment } from '../../../../functions-runtime/src/settings/settings.ts'
import { bufferSettings } from '../../../../webhook-inbox/src/settings/buffer.ts'
import { openDeadline } from '../../../../invocation/src/deadline.ts'
import { isLoopback } from '../../server/loopback.ts'
import { BufferError } from '../../../../webhook-inbox/src/buffer/buffer.ts'
import { withRedis } from '../../../../webhook-inbox/src/buffer/connection.ts'
import { askForDisk, isOnDisk, requireKeeping } from '../../../../webhook-inbox/src/buffer/durability.ts'
import { LEAST_REDIS, readInfo, WAITS_FOR_DISK } from '../../../../webhook-inbox/src/buffer/redis-info.ts'
import { findingsOf, type Finding } from './finding.ts'
import { isSilent } from './silent.ts'

const buffer = findingsOf('buffer')
const WITHIN_MS = 5_000
const DEFAULT_PORT = 6379
const DURABLE =
  'appendonly yes, appendfsync always and no-appendfsync-on-rewrite no on the server, or BUFFER_DURABLE=declared where its provider vouches for it'

/** Whether the outage buffer can be reached, and keeps what it takes. */
export async function checkBuffer(variables: Environment): Promise<Finding[]> {
  let settings
  try {
    settings = readSettings({ buffer: bufferSettings }, variables).buffer
  } catch (error) {
    if (error instanceof SettingsError) return []
    throw error
  }
  if (settings === undefined) return [buffer.ok('none: while the database is away, senders are answered 503 and come back; REDIS_URL adds one')]
  const { durable, url } = settings
  const plain = url.startsWith('redis://') && !isLoopback(new URL(url).hostname)
  const findings = plain ? [buffer.warn('the connection is not encrypted', 'REDIS_URL with rediss://, and REDIS_CA_CERT')] : []
  const deadline = openDeadline({ remainingMs: WITHIN_MS, reserveMs: 0 })
  try {
    const { kept, version } = await withRedis(settings, deadline, async redis => {
      await requireKeeping(redis, { declared: durable === 'declared' })
      const { redis_version: version = 'of an unknown version' } = readInfo(await redis.send('INFO'))
      return { kept: durable === 'declared' || (await isOnDisk(redis, askForDisk(redis, 1_000))), version }
    })
    const server = `Redis ${version}`
    return [
      ...findings,
      kept
        ? buffer.ok(`${server}, ${durable === 'declared' ? 'reached; that it is durable is declared, not proven' : 'reached, and durable'}`)
        : buffer.fail(`${server} does not prove that it is durable`, DURABLE),
    ]
  } catch (error) {
    return [...findings, await explain(error, new URL(url))]
  } finally {
    deadline.clear()
  }
}

async function explain(error: unknown, { hostname, port }: URL): Promise<Finding> {
  const code = error instanceof BufferError ? error.code : 'buffer-unreachable'
  switch (code) {
    case 'buffer-too-old':
      return buffer.fail(
        `is older than Redis ${LEAST_REDIS}: what it holds could not be drained`,
        `Redis ${LEAST_REDIS} or later, better ${WAITS_FOR_DISK}, or Valkey`,
      )
    case 'buffer-loading':
      return buffer.fail('is loading its data', 'wait, and try again')
    case 'buffer-replica':
      return buffer.fail('is a replica: what it takes is gone with the next full copy', 'the address of the primary in REDIS_URL')
    case 'buffer-not-durable':
      return buffer.fail(
        'is not durable: what it takes is gone when it restarts',
        `${DURABLE}; before Redis ${WAITS_FOR_DISK}, after the rewrite of that file has ended without an error`,
      )
    case 'buffer-evicts':
      return buffer.fail('throws data away when its memory is full', 'maxmemory-policy noeviction on the server')
    case 'buffer-refuses':
      return /WRONGPASS|NOAUTH|NOPERM/.test(String((error as Error).cause))
        ? buffer.fail('refuses the user or the password', 'correct them in REDIS_URL; special characters are percent-encoded')
        : buffer.fail('answers with an error', 'look at the server’s log, or name another in REDIS_URL')
    default:
      if (await isSilent({ host: hostname, port: Number(port || DEFAULT_PORT) }, Buffer.from('PING\r\n')))
        return buffer.fail(
          'the port takes the connection and says nothing',
          'the server’s trusted sources, and whether the port in REDIS_URL is Redis’s',
        )
      return buffer.fail('cannot be reached', 'host and port in REDIS_URL, the server’s trusted sources, and REDIS_CA_CERT for rediss://')
  }
}
