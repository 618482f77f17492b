import { lstatSync } from 'node:fs'
import { join, matchesGlob } from 'node:path'
import { decide, type Decision } from './decide.ts'
import { OURS_MARK } from './merge-text.ts'
import { hashOf, isOfFramework, isRecord, type RecordedVersion } from './record.ts'
import { readStandingFile, textOf, type Tree, type TreeFile } from './tree.ts'

export interface PlanOptions {
  /** The folder of the application. */
  readonly folder: string
  readonly base: RecordedVersion
  readonly next: Tree
  /** What the new version is called in marks. */
  readonly version: string
  /** The rules of the new version. */
  readonly rules: RecordedVersion['record']
}

export type Plan = ReadonlyMap<string, Decision>

/**
 * Decides about every file of the recorded and of the new version. Reads, and writes nothing.
 * @throws Error while marks of the last upgrade are left.
 */
export function planUpgrade({ folder, base: { record, files }, next, version, rules }: PlanOptions): Plan {
  const paths = [...new Set([...Object.keys(record.files), ...next.keys()])].filter(path => !isRecord(path)).sort()
  const standing = new Map(paths.map(path => [path, standingAt(folder, path)]))
  const isHere = (path: string) => standing.get(path) !== undefined
  const isUnwanted = unwantedFiles(record, [record.optional, rules.optional].flat(), { isHere, base: files, next })
  const lists = new Map(Object.entries(rules.lists).map(([path, entry]) => [path, new RegExp(entry)]))
  const commands = commandsOf(next, rules.written)
  const marked: string[] = []
  const plan = new Map<string, Decision>()
  for (const path of paths) {
    const ours = standing.get(path)
    const theirs = next.get(path)
    if (ours === 'blocked') {
      if (theirs !== undefined && hashOf(theirs) !== record.files[path])
        plan.set(path, { outcome: 'conflict', reason: 'a folder or a link is in its place here: it stays' })
      continue
    }
    const recorded = record.files[path]
    const isRecorded = recorded !== undefined
    const isUnchangedHere = ours === undefined ? !isRecorded : hashOf(ours) === recorded
    if (!isUnchangedHere && textOf(ours)?.split('\n').includes(OURS_MARK)) marked.push(path)
    if (!isRecorded && ours === undefined && isUnwanted(path)) {
      plan.set(path, { outcome: 'absent' })
      continue
    }
    plan.set(
      path,
      decide({
        path,
        base: files.get(path) ?? (isUnchangedHere ? ours : undefined),
        ours,
        theirs,
        isRecorded,
        isUnchangedHere,
        isUnchangedThere: theirs === undefined ? !isRecorded : hashOf(theirs) === recorded,
        isOfFramework: isOfFramework(rules, path),
        entries: lists.get(path),
        command: commands.find(([glob]) => matchesGlob(path, glob))?.[1],
        version,
      }),
    )
  }
  if (marked.length > 0)
    throw new Error(`These files still have marks of the last upgrade; decide about them first:\n${marked.map(path => `  ${path}`).join('\n')}`)
  return plan
}

/** The file at a path; `blocked` where a folder or a link is in its way. */
function standingAt(folder: string, path: string): TreeFile | 'blocked' | undefined {
  const parts = path.split('/')
  for (const [index] of parts.entries()) {
    const part = join(folder, ...parts.slice(0, index + 1))
    const stats = lstatSync(part, { throwIfNoEntry: false })
    if (stats === undefined) return undefined
    const isLast = index === parts.length - 1
    if (isLast && stats.isFile()) return readStandingFile(part, stats.mode)
    if (isLast || !stats.isDirectory()) return 'blocked'
  }
  return undefined
}

/** Says which new files belong to what was removed here: a folder of the recorded version, or what an optional list names. */
function unwantedFiles(
  { files: recorded }: RecordedVersion['record'],
  optional: readonly string[],
  { isHere, base, next }: { readonly isHere: (path: string) => boolean; readonly base: Tree; readonly next: Tree },
): (path: string) => boolean {
  const standing = new Map<string, boolean>()
  for (const path of Object.keys(recorded)) {
    for (const folder of foldersAbove(path)) standing.set(folder, (standing.get(folder) ?? false) || isHere(path))
  }
  const removed = [...new Set(optional)].filter(list => list in recorded && !isHere(list))
  const listed = removed.flatMap(list => [base.get(list), next.get(list)].flatMap(listIn))
  return path =>
    foldersAbove(path).some(folder => standing.get(folder) === false) || listed.some(one => (one.endsWith('/') ? path.startsWith(one) : path === one))
}

function foldersAbove(path: string): string[] {
  const parts = path.split('/')
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))
}

function listIn(file: TreeFile | undefined): readonly string[] {
  const text = textOf(file)
  return text === undefined ? [] : (JSON.parse(text) as { readonly files: readonly string[] }).files
}

/** Commands that the new version has; a script that it lacks writes nothing. */
function commandsOf(next: Tree, written: Readonly<Record<string, string>>): [glob: string, command: string][] {
  const scripts = scriptsOf(textOf(next.get('package.json')))
  return Object.entries(written).filter(([, command]) => {
    const [, script] = /^npm run ([\w:-]+)/.exec(command) ?? []
    return script === undefined || script in scripts
  })
}

/** Returns the scripts of a package.json. */
export function scriptsOf(text: string | undefined): Readonly<Record<string, string>> {
  return text === undefined ? {} : ((JSON.parse(text) as { scripts?: Record<string, string> }).scripts ?? {})
}

/** What a plan writes and deletes, by path; undefined is for no file. */
export function changesOf(plan: Plan): Map<string, TreeFile | undefined> {
  return new Map(
    [...plan].flatMap(([path, decision]): [string, TreeFile | undefined][] => {
      if (decision.outcome === 'deleted') return [[path, undefined]]
      return 'file' in decision && decision.file !== undefined ? [[path, decision.file]] : []
    }),
  )
}

/** The new version of each file whose conflict is not marked in it. */
export function offeredOf(plan: Plan, next: Tree): Map<string, TreeFile> {
  return new Map(
    [...plan].flatMap(([path, decision]): [string, TreeFile][] => {
      const file = next.get(path)
      const isMarked = 'file' in decision && textOf(decision.file)?.includes(OURS_MARK)
      return decision.outcome === 'conflict' && file !== undefined && !isMarked ? [[path, file]] : []
    }),
  )
}
