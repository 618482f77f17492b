/** One line of what the doctor says. */
export interface Finding {
  readonly check: string
  readonly status: 'ok' | 'warn' | 'fail'
  /** What was found; never a secret, and no host. */
  readonly reason: string
  /** What to do about it; not where all is well. */
  readonly cure?: string
}

/** Makes the findings of one check. */
export function findingsOf(check: string) {
  return {
    ok: (reason: string): Finding => ({ check, status: 'ok', reason }),
    warn: (reason: string, cure: string): Finding => ({ check, status: 'warn', reason, cure }),
    fail: (reason: string, cure: string): Finding => ({ check, status: 'fail', reason, cure }),
  }
}
