import { describe, expect, it } from 'vitest'
import { createRouter } from '../../src/edge/router.ts'

const find = createRouter({ 'GET /': 'root', 'POST /': 'create', 'GET /{id}': 'one', 'PATCH /{id}': 'change', 'GET /{id}/activity': 'activity' })

describe('createRouter', () => {
  it.each([
    ['GET', '/', 'root', {}],
    ['POST', '/', 'create', {}],
    ['GET', '/a%20b', 'one', { id: 'a b' }],
    ['HEAD', '/x', 'one', { id: 'x' }],
    ['GET', '/x/activity', 'activity', { id: 'x' }],
  ])('finds the handler of %s %s', (method, path, handler, params) => {
    expect(find(method, path)).toMatchObject({ handler, params })
  })

  it.each(['/x/y', '/x/activity/z', '//', '/%zz', '/x//activity'])('knows nothing at %s', path => {
    expect(() => find('GET', path)).toThrow(expect.objectContaining({ code: 'not-found', status: 404 }))
  })

  it('says which methods a path allows', () => {
    expect(() => find('DELETE', '/x')).toThrow(expect.objectContaining({ status: 405, headers: { allow: 'GET, HEAD, PATCH' } }))
  })
})
