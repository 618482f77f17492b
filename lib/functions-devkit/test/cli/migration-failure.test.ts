import { describe, expect, it } from 'vitest'
import { logLines } from '../../src/cli/deploy/log-lines.ts'
import { explainFailure } from '../../src/cli/deploy/migration-failure.ts'
import { callFunction, readLog } from '../../src/cli/doctl/call.ts'
import { DoctlError, type Doctl } from '../../src/cli/doctl/doctl.ts'

const failed = (error: unknown, log: readonly string[] = []) => explainFailure({ outcome: 'failed', id: 'a1', error }, log)
const logged = (error: object) => logLines([JSON.stringify({ level: 'warn', function: 'ops/migrate', event: 'invocation.refused', error })])

describe('a failed migration', () => {
  it.each([
    ['28P01', 'error', undefined, /^correct user, password and database name/],
    ['3D000', 'error', undefined, /^correct user, password and database name/],
    // As PostgreSQL answers an address without a line in pg_hba.conf.
    ['28000', 'error', undefined, /^the database’s trusted sources must admit functions, .*sslmode=require/],
    ['57P03', 'error', undefined, /^the server is starting/],
    ['ENOTFOUND', 'Error', 'getaddrinfo ENOTFOUND [host]', /^correct the host/],
    ['ECONNREFUSED', 'Error', 'connect ECONNREFUSED [host]', /^correct host and port/],
    ['CERT_SIGNATURE_FAILURE', 'Error', 'certificate signature failure', /^correct sslmode and DB_CA_CERT/],
    ['CERT_HAS_EXPIRED', 'Error', 'certificate has expired', /^correct sslmode and DB_CA_CERT/],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'Error', 'self-signed certificate in certificate chain', /^correct sslmode and DB_CA_CERT/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'Error', 'self-signed certificate', /^correct sslmode and DB_CA_CERT/],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'Error', 'unable to get local issuer certificate', /^correct sslmode and DB_CA_CERT/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'Error', 'Hostname/IP does not match', /^correct sslmode and DB_CA_CERT/],
    [undefined, 'Error', 'The server does not support SSL connections', /^correct sslmode and DB_CA_CERT/],
    [undefined, 'Error', 'timeout expired', /^the database’s trusted sources must admit functions/],
    ['ECONNRESET', 'Error', 'read ECONNRESET', /^the database’s trusted sources must admit functions/],
  ])('has the cure for %s of an unavailable database', (code, type, message, cure) => {
    const log = logged({ type, ...(code === undefined ? {} : { code }), ...(message === undefined ? {} : { message }) })
    expect(failed({ code: 'database-unavailable' }, log).cure).toMatch(cure)
  })

  it('names the memory that was exhausted', () => {
    const { reason, cure } = failed({ error: 'The action exhausted its memory and was aborted.' }.error)
    expect([reason, cure]).toEqual([
      expect.stringMatching(/^failed: The action exhausted/),
      expect.stringMatching(/^raise the memory of ops\/migrate/),
    ])
  })

  it.each([
    ['Too many requests in the last minute (count: 601, allowed: 600).', /^wait a minute/],
    ['Too many concurrent requests in flight (count: 121, allowed: 120).', /^wait a minute/],
    ['The connection failed, or timed out. (HTTP status code 503)', /^wait a minute/],
    ['The supplied authentication is not authorized to access this resource.', /^npm run doctor checks how doctl is connected/],
    ['The requested resource does not exist.', /^npm run doctor checks how doctl is connected/],
  ])('was not called because: %s', (reason, cure) => {
    expect(explainFailure({ outcome: 'not-called', reason }, []).cure).toMatch(cure)
  })
})

describe('the log of a call', () => {
  it.each([
    ['text', 'connecting'],
    ['JSON of another logger', '{"error":"boom"}'],
    ['JSON of another logger, with a level', '{"level":50,"msg":"boom"}'],
    ['an error in an unknown form', '{"level":"error","function":"ops/migrate","error":{"type":"Error","stack":"at a"}}'],
    ['JSON that was cut off', '{"level":"error","function":"ops/mig'],
  ])('keeps %s', (_what, line) => {
    expect(logLines([line])).toEqual([line])
  })

  it('leaves out our own lines without an error', () => {
    expect(logLines(['{"level":"info","function":"ops/migrate","event":"invocation.completed"}'])).toEqual([])
  })
})

describe('a call whose doctl exceeds its time limit', () => {
  const stuck = new DoctlError('doctl has not ended within 2 minutes')
  const answering = (answers: readonly (string | Error)[]): Doctl => {
    const left = [...answers]
    return async () => {
      const answer = left.shift() ?? ''
      if (answer instanceof Error) throw answer
      return { status: 0, stdout: answer, stderr: '' }
    }
  }
  const options = { name: 'ops/migrate', timeoutMs: 60_000, sleep: async () => undefined }
  const record = JSON.stringify({ response: { success: false, result: { error: 'boom' } } })

  it('is still read to its end', async () => {
    const doctl = answering(['{"activationId":"a1"}', stuck, stuck, record])
    expect(await callFunction({ ...options, doctl })).toEqual({ outcome: 'failed', id: 'a1', error: 'boom' })
  })

  it('is not called when the call itself is stuck', async () => {
    expect(await callFunction({ ...options, doctl: answering([stuck]) })).toMatchObject({ outcome: 'not-called' })
  })

  it('has no log when the log is stuck', async () => {
    expect(await readLog(answering([stuck]), 'a1')).toEqual([])
  })

  it('is an error when doctl is missing for another reason', async () => {
    await expect(callFunction({ ...options, doctl: answering([new TypeError('no')]) })).rejects.toThrow('no')
  })
})
