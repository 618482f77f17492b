import { randomInt } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isFree } from './postgres/free-port.ts'

// Below the ports that systems give to outgoing connections (Linux 32768, macOS 49152): such a one may be in use at the next start.
const FIRST = 20_000
const LAST = 30_000
const TRIES = 100

export interface KeptPortOptions {
  /** Where it is kept. */
  readonly folder: string
  readonly service: 'database' | 'redis'
  /** Another one, which is kept from now on. 0 stands for a new one. */
  readonly chosen?: number | undefined
}

/**
 * Returns the port of a service, which stays the same at every start. The first one is free at this moment.
 * @throws Error when the file that keeps it is not readable.
 */
export async function keptPort({ folder, service, chosen }: KeptPortOptions): Promise<number> {
  const file = join(folder, 'ports.json')
  const kept = read(file)
  const port = chosen || (chosen === undefined ? kept[service] : undefined) || (await choosePort(Object.values(kept)))
  if (port !== kept[service]) {
    writeFileSync(`${file}.new`, `${JSON.stringify({ ...kept, [service]: port })}\n`)
    renameSync(`${file}.new`, file)
  }
  return port
}

function read(file: string): Readonly<Record<string, number>> {
  if (!existsSync(file)) return {}
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>
  } catch (cause) {
    throw new Error(`${file} is not JSON: delete it, and new ports are chosen`, { cause })
  }
}

async function choosePort(others: readonly number[]): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = randomInt(FIRST, LAST)
    if (!others.includes(port) && (await isFree(port))) return port
  }
  throw new Error(`No free port was found from ${FIRST} to ${LAST}`)
}
