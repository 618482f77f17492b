import { type IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { isFromThisMachine } from '../../src/server/loopback.ts'

function from(remoteAddress: string | undefined, headers: { host?: string; origin?: string }): boolean {
  return isFromThisMachine({ socket: { remoteAddress }, headers } as Pick<IncomingMessage, 'socket' | 'headers'>)
}

describe('a request is from this machine', () => {
  test.each([
    ['127.0.0.1', { host: '127.0.0.1:8080' }],
    ['127.8.9.10', { host: 'localhost:8080' }],
    ['::1', { host: '[::1]:8080' }],
    ['::ffff:127.0.0.1', { host: 'localhost' }],
    ['127.0.0.1', { host: 'localhost:8080', origin: 'http://localhost:3000' }],
  ])('when it comes from %s and asks for %o', (address, headers) => {
    expect(from(address, headers)).toBe(true)
  })
})

describe('a request is not from this machine', () => {
  test.each([
    ['10.0.0.1', { host: 'localhost:8080' }],
    ['::ffff:10.0.0.1', { host: 'localhost:8080' }],
    ['fe80::1', { host: 'localhost:8080' }],
    [undefined, { host: 'localhost:8080' }],
    ['127.0.0.1', {}],
    ['127.0.0.1', { host: 'tunnel.example' }],
    ['127.0.0.1', { host: 'localhost.example' }],
    ['127.0.0.1', { host: '127.0.0.1.example' }],
    ['127.0.0.1', { host: 'localhost:8080', origin: 'https://page.example' }],
    ['127.0.0.1', { host: 'localhost:8080', origin: 'null' }],
  ])('when it comes from %s and asks for %o', (address, headers) => {
    expect(from(address, headers)).toBe(false)
  })
})
