import { createServer, type AddressInfo, type Socket } from 'node:net'

/** Something that talks like PostgreSQL, lets everybody in, and answers every statement with the same row. */
export interface FakePostgres {
  readonly port: number
  /** What it was asked, in order. */
  readonly statements: readonly string[]
  stop(): void
}

export interface FakeOptions {
  /** What it announces for its process; the row's `pid` otherwise. */
  readonly announced?: number
  /** In place of the row: a notice, as PgBouncer before 1.12 answers SHOW VERSION. */
  readonly notice?: string
}

const TEXT = 25

/** Starts one on a free port of 127.0.0.1; all values of the row are sent as text. */
export async function startFakePostgres(
  row: Readonly<Record<string, string>>,
  { announced = Number(row.pid), notice }: FakeOptions = {},
): Promise<FakePostgres> {
  const statements: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    let begun = false
    socket.on('data', data => {
      if (!begun) {
        begun = true
        socket.write(Buffer.concat([message('R', int32(0)), message('K', int32(announced), int32(1)), READY]))
      } else if (data[0] === 'Q'.charCodeAt(0)) {
        statements.push(data.subarray(5, -1).toString())
        socket.write(notice === undefined ? answer(row) : answerWithNotice(notice))
      }
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    statements,
    stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

const READY = message('Z', Buffer.from('I'))

function answer(row: Readonly<Record<string, string>>): Buffer {
  const names = Object.keys(row)
  const fields = names.flatMap(name => [Buffer.from(`${name}\0`), int32(0), int16(0), int32(TEXT), int16(-1), int32(-1), int16(0)])
  const values = Object.values(row).flatMap(value => [int32(Buffer.byteLength(value)), Buffer.from(value)])
  return Buffer.concat([
    message('T', int16(names.length), ...fields),
    message('D', int16(names.length), ...values),
    message('C', Buffer.from('SELECT 1\0')),
    READY,
  ])
}

function answerWithNotice(notice: string): Buffer {
  return Buffer.concat([message('N', Buffer.from(`SNOTICE\0C00000\0M${notice}\0\0`)), message('C', Buffer.from('SHOW\0')), READY])
}

function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}
