import { strToU8, zipSync } from 'fflate'

/** A zip of the given files, for functions that a test writes itself. */
export function zipFiles(files: Record<string, string>): Buffer {
  return Buffer.from(zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)]))))
}
