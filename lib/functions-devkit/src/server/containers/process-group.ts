/** Sends a signal to a container and to what it started. One that is gone is fine. */
export function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // EPERM is what macOS says of a group whose processes have ended.
    if (code !== 'ESRCH' && code !== 'EPERM') throw error
  }
}
