/** Nobody has answered in time. */
export class SilenceError extends Error {
  override readonly name = 'SilenceError'
}

/**
 * Waits for something no longer than that; what comes later is nobody's.
 * @throws SilenceError
 */
export async function within<Value>(ms: number, work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new SilenceError(`no answer within ${ms} ms`)), ms)
  })
  // It may still fail when nobody listens any more.
  work.catch(() => undefined)
  try {
    return await Promise.race([work, silence])
  } finally {
    clearTimeout(timer)
  }
}
