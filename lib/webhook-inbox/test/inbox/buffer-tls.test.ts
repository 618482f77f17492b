import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../../../functions-devkit/src/server/postgres/free-port.ts'
import { main } from '../../../functions-devkit/test/application/packages/api/webhook/index.ts'
import { makeCertificates } from '../../../postgres-faults/src/certificates.ts'
import { call, withFunctions } from '../../../functions-devkit/test/support/functions.ts'
import { hasRedis, startRedis, type RedisServer } from '../../../functions-devkit/test/support/redis.ts'
import { completedTransaction, signedHeaders } from '../../../functions-devkit/test/support/webhooks.ts'

describe.skipIf(!hasRedis())('a buffer behind TLS', () => {
  let folder: string
  let redis: RedisServer
  let url: string
  let authority: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'redis-tls-'))
    const made = await makeCertificates()
    authority = made.authority
    await writeFile(join(folder, 'key.pem'), made.key)
    await writeFile(join(folder, 'cert.pem'), made.certificate)
    const port = String(await freePort())
    const files = { 'tls-key-file': join(folder, 'key.pem'), 'tls-cert-file': join(folder, 'cert.pem'), 'tls-ca-cert-file': join(folder, 'cert.pem') }
    redis = await startRedis({ 'tls-port': port, 'tls-auth-clients': 'no', ...files })
    url = redis.url.replace('redis://', 'rediss://').replace(/:\d+$/, `:${port}`)
  })
  afterAll(async () => {
    await redis.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const send = async (changes: Record<string, string>) => {
    const body = completedTransaction()
    let status = 0
    await withFunctions(
      [main],
      async () => {
        status = (await call(main, { method: 'POST', path: '/demo', body, headers: signedHeaders(body) }, { getRemainingTimeInMillis: () => 2_500 }))
          .statusCode
      },
      { DB_PORT: '1', REDIS_URL: url, ...changes },
    )
    return status
  }

  it('is used when its certificate is the given authority’s, and by no other', async () => {
    const [mine, another] = [authority, (await makeCertificates()).authority]
    expect(await send({ REDIS_CA_CERT: mine })).toBe(202)
    expect(await send({ REDIS_CA_CERT: another })).toBe(503)
    expect(await send({})).toBe(503)
    expect(await redis.command('XLEN', '{webhooks}:events')).toBe(1)
  })
})
