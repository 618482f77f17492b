/** 0: done, 1: the project is refused, 2: wrong usage, or nothing that could be read. */
export type ExitStatus = 0 | 1 | 2

export interface CommandOutput {
  out: (text: string) => void
  err: (text: string) => void
  /** Whether `out` shows colours; without it, text stays plain. */
  colour?: boolean
}

/** Whether an error came from the operating system: a file that is not there, or may not be read. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}
