import { json, type Reply } from '../edge/reply.ts'
import type { Page } from '../content/page.ts'

/** A page as an answer: where the next one is stands in the body, and as a link (RFC 8288) to the same list. */
export function pageReply<Item>(page: Page<Item>, search: URLSearchParams): Reply {
  if (page.next === null) return json(200, { ...page })
  const next = new URLSearchParams(search)
  next.set('cursor', page.next)
  return json(200, { ...page }, { link: `<?${next.toString()}>; rel="next"` })
}
