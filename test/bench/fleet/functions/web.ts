/** A web call as the platform hands it over, in raw mode; what the rivals of the bench need of it. */
export interface RawEvent {
  http: { method: string; path: string; body: string; isBase64Encoded: boolean }
}

export interface RawContext {
  getRemainingTimeInMillis(): number
}

export interface RawAnswer {
  statusCode: number
  body: unknown
}

/** What a call asks for: a user by id, or a new one. */
export function askedFor({ http }: RawEvent): { id: string } | { email: string; name: string } {
  if (http.method === 'GET') return { id: http.path.slice(1) }
  const text = Buffer.from(http.body, http.isBase64Encoded ? 'base64' : 'utf8').toString('utf8')
  return JSON.parse(text) as { email: string; name: string }
}

/** The answer to a call that failed, with the server's code if it has one. */
export function failed(error: unknown): RawAnswer {
  const { original, code, name } = error as { original?: { code?: string }; code?: string; name?: string }
  return { statusCode: 503, body: { code: original?.code ?? code ?? name } }
}
