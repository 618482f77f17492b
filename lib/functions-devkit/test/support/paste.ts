import { execFileSync, spawnSync } from 'node:child_process'
import { type Server } from './npm-start.ts'

/** Whether a printed command can be run as it stands. */
export const HAS_CURL = spawnSync('curl', ['--version']).status === 0

/** Returns the last command in the output that goes to a path. */
export function commandTo(path: string, server: Pick<Server, 'output'>): string {
  const command = server
    .output()
    .split('\n')
    .findLast(line => line.startsWith('curl ') && line.endsWith(path))
  if (command === undefined) throw new Error(`no command for ${path} in:\n${server.output()}`)
  return command
}

/** Runs a printed command in a shell; without curl the same request is sent from here. */
export async function paste(command: string): Promise<{ status: number; body: Record<string, unknown> }> {
  if (HAS_CURL) {
    const printed = execFileSync('bash', ['-c', command], { encoding: 'utf8' })
    const [, body = '', status] = /^(.*) \((\d{3})\)\n$/s.exec(printed) ?? []
    return { status: Number(status), body: JSON.parse(body) as Record<string, unknown> }
  }
  const words = execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${command}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1)
  const after = (flag: string) => words.flatMap((word, index) => (words[index - 1] === flag ? [word] : []))
  const headers = after('-H').map((header): [string, string] => [header.slice(0, header.indexOf(':')), header.slice(header.indexOf(':') + 2)])
  const response = await fetch(words.at(-1) ?? '', { method: 'POST', headers, body: after('--data-raw')[0] ?? '' })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}
