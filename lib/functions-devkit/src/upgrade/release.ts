import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashOf, readRecord, RECORD, recordFiles, TEXTS, type FrameworkRecord } from './record.ts'
import { readFolder } from './tree.ts'

/** Writes the record of a version into its folder, under the rules that the record before has. Returns the number of files. */
export function recordVersion(folder: string, version: string): number {
  if (!/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version)) throw new Error(`${version} is no version: write it as 1.2.0`)
  const tree = readFolder(folder)
  for (const [path, { content }] of recordFiles(tree, version, recordOf(folder))) writeFileSync(join(folder, path), content)
  return tree.size - [RECORD, TEXTS].filter(path => tree.has(path)).length
}

/** Returns the files of a folder that are not as its record has them. */
export function unrecordedFiles(folder: string): string[] {
  const { files } = recordOf(folder)
  const tree = new Map([...readFolder(folder)].filter(([path]) => path !== RECORD && path !== TEXTS))
  const changed = [...tree].filter(([path, file]) => files[path] !== hashOf(file)).map(([path]) => path)
  return [...changed, ...Object.keys(files).filter(path => !tree.has(path))].sort()
}

function recordOf(folder: string): FrameworkRecord {
  const recorded = readRecord(folder)
  if (recorded === undefined) throw new Error(`There is no ${RECORD}, whose rules a new record takes over`)
  return recorded.record
}
