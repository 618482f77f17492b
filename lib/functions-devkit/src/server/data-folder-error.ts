import { existsSync, statfsSync } from 'node:fs'
import { dirname, sep } from 'node:path'
import { type DataFolder } from './data-folder.ts'

const CHOOSE = 'choose another folder with LOCAL_DATA_FOLDER=… npm start'
// PostgreSQL writes its log in files of this size, and needs room for the next one.
const LEAST_ROOM_BYTES = 16 * 1024 ** 2
const FULL = /\b(?:ENOSPC|EDQUOT|EFBIG)\b|No space left on device|Check free disk space|Disk quota exceeded|File too large/
const CLOSED = /\b(?:EROFS|EACCES|EPERM)\b|Read-only file system/
const NO_FOLDER = /\b(?:ENOTDIR|EEXIST)\b/
// What these say is about their data folder. A function that migrates does not say why it failed.
const PROGRAM = /^(?:initdb failed|PostgreSQL did not start|Redis did not start)/
const WRITING = /^The migrations failed/
const DISK_FULL = '53100'

/** Returns one sentence for an error whose reason is the data folder or its disk; undefined for any other error. */
export function explainDataFolder(error: unknown, { folder }: Pick<DataFolder, 'folder'>): Error | undefined {
  const own = causesOf(error).filter(one => isAbout(one, folder))
  const says = (pattern: RegExp) => own.some(({ message }) => pattern.test(message))
  const wasWriting = own.length > 0 || causesOf(error).some(({ message }) => WRITING.test(message))
  if (says(CLOSED)) return new Error(`The data folder ${folder} cannot be written: ${CHOOSE}`, { cause: error })
  if (says(NO_FOLDER)) return new Error(`The data folder ${folder} is not a folder: ${CHOOSE}`, { cause: error })
  if (says(FULL) || (wasWriting && !hasRoom(folder)))
    return new Error(`The disk of the data folder ${folder} is full: free some of it, or ${CHOOSE}`, { cause: error })
  return undefined
}

function causesOf(error: unknown): Error[] {
  return error instanceof Error ? [error, ...causesOf(error.cause)] : []
}

function isAbout(error: Error, folder: string): boolean {
  const { path = '', dest = '', code } = error as NodeJS.ErrnoException & { dest?: string }
  return PROGRAM.test(error.message) || code === DISK_FULL || [path, dest].some(one => one !== '' && (isWithin(one, folder) || isWithin(folder, one)))
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}${sep}`)
}

function hasRoom(folder: string): boolean {
  let existing = folder
  while (!existsSync(existing)) existing = dirname(existing)
  try {
    const { bavail, bsize } = statfsSync(existing)
    return bavail * bsize >= LEAST_ROOM_BYTES
  } catch {
    return true
  }
}
