import type { createClient } from '@redis/client'
import type { BufferSettings } from '../settings/buffer.ts'
import type { Deadline } from '../../../invocation/src/deadline.ts'
import { untilAborted } from '../../../invocation/src/wait.ts'
import { BufferError } from './buffer.ts'

/** A server's answer to one command, texts as bytes. */
export type Reply = Buffer | number | null | readonly Reply[]

/** One connection to Redis or Valkey. */
export interface RedisConnection {
  /** Commands that are sent without waiting leave in one flight. */
  send(...command: readonly (string | Buffer)[]): Promise<Reply>
}

type Client = ReturnType<typeof createClient>

const CONNECT_MS = 2_000

/**
 * Runs `work` on a connection of its own: a container that is paused in between would find a kept one dead. The client
 * is loaded here, so that nobody pays for it as long as the database is there.
 * @throws BufferError `buffer-unreachable` when there is no connection, or it was lost, or the time is over.
 */
export async function withRedis<Result>(
  settings: BufferSettings,
  deadline: Deadline,
  work: (redis: RedisConnection) => Promise<Result>,
): Promise<Result> {
  const { createClient, RESP_TYPES } = await import('@redis/client')
  const url = new URL(settings.url)
  const client: Client = createClient({
    url: settings.url,
    RESP: 2,
    disableOfflineQueue: true,
    disableClientInfo: true,
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
    socket: {
      connectTimeout: Math.max(1, Math.min(CONNECT_MS, deadline.remainingMs())),
      reconnectStrategy: false,
      ...(url.protocol === 'rediss:' ? { tls: true, minVersion: 'TLSv1.2', ...(settings.ca === undefined ? {} : { ca: settings.ca }) } : {}),
    },
  } as never)
  // Every failure is told by the command that met it.
  client.on('error', () => undefined)
  const send = (...command: readonly (string | Buffer)[]) => client.sendCommand(command) as unknown as Promise<Reply>
  try {
    return await untilAborted(
      client.connect().then(() => work({ send })),
      deadline.signal,
    )
  } catch (error) {
    throw error instanceof BufferError ? error : new BufferError(isRefusal(error) ? 'buffer-refuses' : 'buffer-unreachable', error)
  } finally {
    client.destroy()
  }
}

// What the server said, rather than the way to it.
function isRefusal(error: unknown): boolean {
  return error instanceof Error && /^(SimpleError|BlobError|ErrorReply)$/.test(error.constructor.name)
}
