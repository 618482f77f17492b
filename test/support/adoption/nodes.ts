import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'

/** The Node of the project, 24. */
export const NODE_24 = resolve(import.meta.dirname, '../../../node_modules/.bin/node')

/** The oldest Node that is supported, if it is the machine's own. npm puts the project's Node before it on the PATH. */
export const NODE_20 = nodesOnPath().find(path => majorOf(path) === 20)

function nodesOnPath(): string[] {
  return (process.env.PATH ?? '')
    .split(':')
    .filter(folder => !folder.includes('node_modules'))
    .map(folder => `${folder}/node`)
}

function majorOf(path: string): number | undefined {
  try {
    return Number.parseInt(execFileSync(path, ['--version'], { encoding: 'utf8' }).slice(1), 10)
  } catch {
    return undefined
  }
}
