import { expect, it } from 'vitest'
import { bufferSettings } from '../../src/settings/buffer.ts'
import { makeCertificates } from '../../../postgres-faults/src/certificates.ts'

it('is off without an address, and has defaults with one', () => {
  expect(bufferSettings.parse({ REDIS_URL: 'none' }).value).toBeUndefined()
  expect(bufferSettings.parse({ REDIS_URL: 'rediss://:p@redis.example:6380' }).value).toEqual({
    url: 'rediss://:p@redis.example:6380',
    ca: undefined,
    durable: 'proven',
    maxBytes: 67_108_864,
  })
})

it.each([
  [{ REDIS_URL: 'http://redis.example' }, 'REDIS_URL'],
  [{ REDIS_URL: 'redis.example:6379' }, 'REDIS_URL'],
  [{ REDIS_URL: 'rediss://redis.example', REDIS_CA_CERT: 'nonsense' }, 'REDIS_CA_CERT'],
  [{ REDIS_URL: 'redis://redis.example', BUFFER_MAX_BYTES: '1000' }, 'BUFFER_MAX_BYTES'],
  [{ REDIS_URL: 'redis://redis.example', BUFFER_DURABLE: 'perhaps' }, 'BUFFER_DURABLE'],
])('refuses %j by name', (environment, variable) => {
  expect(bufferSettings.parse(environment).issues?.map(issue => issue.variable)).toEqual([variable])
})

it('refuses everything that is wrong at once', () => {
  const wrong = { REDIS_URL: 'redis.example:6379', REDIS_CA_CERT: 'nonsense', BUFFER_MAX_BYTES: '1' }
  expect(bufferSettings.parse(wrong).issues?.map(issue => issue.variable)).toEqual(['BUFFER_MAX_BYTES', 'REDIS_URL', 'REDIS_CA_CERT'])
})

it('refuses a certificate beside a connection without TLS', async () => {
  const { authority } = await makeCertificates()
  expect(bufferSettings.parse({ REDIS_URL: 'redis://redis.example', REDIS_CA_CERT: authority }).issues).toMatchObject([{ variable: 'REDIS_CA_CERT' }])
  expect(bufferSettings.parse({ REDIS_URL: 'rediss://redis.example', REDIS_CA_CERT: authority }).value).toMatchObject({ ca: authority.trim() })
})
