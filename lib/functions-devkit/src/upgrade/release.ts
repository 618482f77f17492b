import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isRecord, RECORD, recordFiles, recordIn, unrecordedIn, type FrameworkRecord } from './record.ts'
import { readFolder } from './tree.ts'

/** Writes the record of a version into its folder, under the rules that the record before has. Returns the number of files. */
export function recordVersion(folder: string, version: string): number {
  if (!/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version)) throw new Error(`${version} is no version: write it as 1.2.0`)
  const tree = readFolder(folder)
  for (const [path, { content }] of recordFiles(tree, version, recordOf(folder))) writeFileSync(join(folder, path), content)
  return [...tree.keys()].filter(path => !isRecord(path)).length
}

/** Returns the files of a folder that are not as its record has them. */
export function unrecordedFiles(folder: string): string[] {
  return unrecordedIn(readFolder(folder), recordOf(folder))
}

function recordOf(folder: string): FrameworkRecord {
  const record = recordIn(readFolder(folder), folder)
  if (record === undefined) throw new Error(`There is no ${RECORD}, whose rules a new record takes over`)
  return record
}
