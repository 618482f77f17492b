import { randomInt } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isFree } from './postgres/free-port.ts'

// Below the ports that systems give to outgoing connections (Linux 32768, macOS 49152): such a one may be in use at the next start.
const FIRST = 20_000
const LAST = 30_000
const TRIES = 100

export interface Place {
  /** Where ports are kept. */
  readonly folder: string
  readonly service: 'database' | 'redis'
}

export interface ChoiceOptions extends Place {
  /** Another one than the kept one. 0 stands for a new one. */
  readonly chosen?: number | undefined
  /** Those that are given away and not kept yet. */
  readonly except?: readonly number[]
}

/**
 * Returns the port on which a service is to listen: the chosen one, else the kept one, else a new one that is free at this moment.
 * @throws Error when the file that keeps ports is not readable.
 */
export async function choosePort({ folder, service, chosen, except = [] }: ChoiceOptions): Promise<number> {
  const kept = read(fileIn(folder))
  const before = chosen === undefined ? kept[service] : undefined
  return chosen || before || (await newPort([...Object.values(kept), ...except]))
}

/** Keeps the port of a service for later starts. Only one on which it listens: another one would be in the way of every start. */
export function keepPort({ folder, service, port }: Place & { readonly port: number }): void {
  const file = fileIn(folder)
  const kept = read(file)
  if (port === kept[service]) return
  writeFileSync(`${file}.new`, `${JSON.stringify({ ...kept, [service]: port })}\n`)
  renameSync(`${file}.new`, file)
}

function fileIn(folder: string): string {
  return join(folder, 'ports.json')
}

function read(file: string): Readonly<Record<string, number>> {
  if (!existsSync(file)) return {}
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>
  } catch (cause) {
    throw new Error(`${file} is not JSON: delete it, and new ports are chosen`, { cause })
  }
}

async function newPort(others: readonly number[]): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = randomInt(FIRST, LAST)
    if (!others.includes(port) && (await isFree(port))) return port
  }
  throw new Error(`No free port was found from ${FIRST} to ${LAST}`)
}
