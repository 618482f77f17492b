import { type IncomingMessage } from 'node:http'
import { isFromThisMachine } from './loopback.ts'
import { type HttpReply } from './platform/response.ts'
import { type Schedules } from './schedules.ts'

/** First segment of the URL that fires a schedule now: `POST /__schedule/<name>`. */
export const SCHEDULE_ROUTE = '__schedule'

/** Fires the schedule that the path names and answers when it has ended: 200 when it went well, 502 when not. */
export async function fireByRequest(request: IncomingMessage, path: string, schedules: Pick<Schedules, 'all' | 'fire'>): Promise<HttpReply> {
  if (!isFromThisMachine(request)) return json(403, { error: 'Schedules are fired from this machine only.' })
  const name = decoded(path.slice(1))
  const known = schedules.all.map(one => one.name)
  if (!known.includes(name)) return json(404, { error: `project.yml has no schedule named ${JSON.stringify(name)}.`, schedules: known })
  if (request.method !== 'POST') return json(405, { error: 'A schedule is fired with POST.' }, [['allow', 'POST']])
  const firing = await schedules.fire(name)
  return json(firing?.outcome === 'ok' ? 200 : 502, firing)
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

function json(status: number, value: unknown, headers: HttpReply['headers'] = []): HttpReply {
  return { status, headers: [['content-type', 'application/json'], ...headers], body: Buffer.from(JSON.stringify(value)) }
}
