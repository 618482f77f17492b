import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { type Problem, treeProblem } from '../problem.ts'
import { kindAt } from './folder.ts'
import { type IncludedPath } from './included-path.ts'

interface Manifest {
  main?: unknown
  type?: unknown
  dependencies?: unknown
}

/** Whether what .include names makes an archive that a runtime can start: several files, one of them the entry, CommonJS. */
export function archiveProblems(root: string, file: string, included: readonly IncludedPath[]): Problem[] {
  const module = included.find(({ text }) => text.endsWith('.mjs'))
  if (module) return [treeProblem('include-module', file, { detail: module.text, position: { line: module.line, column: 1 } })]
  const [only] = included
  if (only && included.length === 1 && kindAt(root, only.path) !== 'folder') {
    return [treeProblem('include-single', file, { position: { line: only.line, column: 1 } })]
  }
  const manifest = included.find(({ archiveName }) => archiveName === 'package.json')
  if (manifest) return manifestProblems(root, manifest.path, included)
  return included.some(({ archiveName }) => archiveName === 'index.js') ? [] : [treeProblem('include-entry', file)]
}

function manifestProblems(root: string, path: string, included: readonly IncludedPath[]): Problem[] {
  const manifest = readManifest(root, path)
  if (!manifest) return [treeProblem('include-manifest', path)]
  const problems: Problem[] = []
  const { main = 'index.js', type = 'commonjs', dependencies = {} } = manifest
  const holds = (name: string) => included.some(({ archiveName }) => archiveName === name || name.startsWith(`${archiveName}/`))
  if (typeof main !== 'string' || !holds(posix.normalize(main))) problems.push(treeProblem('include-main', path, { path: 'main' }))
  if (type !== 'commonjs') problems.push(treeProblem('include-type', path, { path: 'type' }))
  if (Object.keys(Object(dependencies) as object).length > 0) problems.push(treeProblem('include-dependencies', path, { path: 'dependencies' }))
  return problems
}

function readManifest(root: string, path: string): Manifest | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(join(root, path), 'utf8'))
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
