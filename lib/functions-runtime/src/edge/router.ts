import { ApplicationError, NotFoundError } from './http-errors.ts'

/** A route is a method and a path such as `GET /{id}/activity`; a name in braces takes one segment. */
export type Routes<Handler> = Readonly<Record<string, Handler>>

export interface Match<Handler> {
  handler: Handler
  params: Readonly<Record<string, string>>
  /** The route as it was written, for the log: it holds no ids. */
  route: string
}

interface Route<Handler> {
  method: string
  segments: readonly string[]
  handler: Handler
  route: string
}

/** Turns a table of routes into a function that finds the one for a request. */
export function createRouter<Handler>(table: Routes<Handler>): (method: string, path: string) => Match<Handler> {
  const routes = Object.entries(table).map(([route, handler]): Route<Handler> => {
    const [method = '', path = ''] = route.split(' ')
    return { method, segments: segmentsOf(path), handler, route }
  })

  /** @throws NotFoundError for an unknown path, ApplicationError 405 with `allow` for an unknown method. */
  return function findRoute(method, path) {
    const segments = segmentsOf(path)
    const candidates = routes.flatMap(route => {
      const params = paramsOf(route.segments, segments)
      return params === undefined ? [] : [{ ...route, params }]
    })
    if (candidates.length === 0) throw new NotFoundError('There is nothing at this path.')
    const found =
      candidates.find(route => route.method === method) ?? (method === 'HEAD' ? candidates.find(route => route.method === 'GET') : undefined)
    if (!found) throw methodNotAllowed(candidates.map(route => route.method))
    return { handler: found.handler, params: found.params, route: found.route }
  }
}

function methodNotAllowed(methods: readonly string[]): ApplicationError {
  const allow = [...new Set(methods.flatMap(method => (method === 'GET' ? ['GET', 'HEAD'] : [method])))].join(', ')
  return new ApplicationError('This method is not available here.', { code: 'method-not-allowed', status: 405, headers: { allow } })
}

function segmentsOf(path: string): string[] {
  return path
    .split('/')
    .slice(1)
    .filter((segment, index, all) => segment !== '' || index < all.length - 1)
}

function paramsOf(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? ''
    const name = /^\{(\w+)\}$/.exec(part)?.[1]
    if (name === undefined) {
      if (part !== segment) return undefined
      continue
    }
    const value = decode(segment)
    if (value === undefined || value === '') return undefined
    params[name] = value
  }
  return params
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
