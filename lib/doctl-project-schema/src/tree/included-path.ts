/** A line of .include: what it names, and under which name that goes into the archive. */
export interface IncludedPath {
  line: number
  /** As it is written. */
  text: string
  /** Relative to the root of the project. */
  path: string
  archiveName: string
}
