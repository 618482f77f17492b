import { request, type IncomingMessage } from 'node:http'
import { LARGEST_PAYLOAD } from '../platform/limits.ts'

export interface PostOptions {
  readonly port: number
  readonly key: string
  readonly path: '/init' | '/run'
  readonly body: unknown
}

export interface PostAnswer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** In bytes. */
  readonly size: number
  /** Undefined for a body of more than 1 MB. */
  readonly text: string | undefined
}

/**
 * Sends one request over a connection of its own: one that is kept is dead after a pause.
 * @throws Error when the connection breaks, as it does when the container ends.
 */
export function post({ port, key, path, body }: PostOptions): Promise<PostAnswer> {
  const text = JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), authorization: key }
    const sent = request({ host: '127.0.0.1', port, path, method: 'POST', headers, agent: false }, response => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size <= LARGEST_PAYLOAD) chunks.push(chunk)
      })
      response.on('error', reject)
      response.on('end', () => {
        const whole = size <= LARGEST_PAYLOAD ? Buffer.concat(chunks).toString() : undefined
        resolve({ status: response.statusCode ?? 0, headers: response.headers, size, text: whole })
      })
    })
    sent.on('error', reject)
    sent.end(text)
  })
}
