/** An answer as a test looks at it. */
export interface Answer {
  statusCode: number
  headers: Record<string, string>
  body: Record<string, unknown>
}
