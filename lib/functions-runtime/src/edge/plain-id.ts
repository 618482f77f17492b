/** Whether a request id that a caller sent may be repeated in headers and logs: it is short and plain, as the platform's are. */
export function isPlainId(id: unknown): id is string {
  return typeof id === 'string' && /^[\w.-]{1,64}$/.test(id)
}
