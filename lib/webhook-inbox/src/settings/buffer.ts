import { readCertificates } from '../../../functions-runtime/src/settings/certificates.ts'
import { readRedisUrl } from '../../../functions-runtime/src/settings/redis-url.ts'
import { integer, oneOf, optionalText } from '../../../functions-runtime/src/settings/schemas.ts'
import { defineSettings, SettingIssues, takeOrReport, type SettingIssue } from '../../../functions-runtime/src/settings/settings.ts'

/** Where events wait while the database is away. */
export interface BufferSettings {
  readonly url: string
  /** PEM that the server is verified against; without it, Node's own roots decide. */
  readonly ca: string | undefined
  /** `declared`: somebody vouches that what the server has acknowledged survives its end. */
  readonly durable: 'proven' | 'declared'
  readonly maxBytes: number
}

const MIB = 1024 * 1024

/** The outage buffer, if there is one. */
export const bufferSettings = defineSettings(
  {
    REDIS_URL: optionalText(),
    REDIS_CA_CERT: optionalText(),
    BUFFER_DURABLE: oneOf(['proven', 'declared'], 'proven'),
    BUFFER_MAX_BYTES: integer({ min: MIB, max: 1024 * 1024 * MIB, fallback: 64 * MIB }),
  },
  (values): BufferSettings | undefined => {
    const { REDIS_URL: text, REDIS_CA_CERT: certificate } = values
    const issues: SettingIssue[] = []
    const server = text === undefined ? undefined : takeOrReport('REDIS_URL', readRedisUrl(text), issues)
    const ca = certificate === undefined ? undefined : takeOrReport('REDIS_CA_CERT', readCertificates(certificate), issues)
    if (server?.encrypted === false && certificate !== undefined)
      issues.push({ variable: 'REDIS_CA_CERT', reason: 'is set although redis:// is not encrypted: write rediss://, or leave the certificate out' })
    if (issues.length > 0) throw new SettingIssues(issues)
    if (server === undefined) return undefined
    return Object.freeze({ url: server.url, ca: ca?.pem, durable: values.BUFFER_DURABLE, maxBytes: values.BUFFER_MAX_BYTES })
  },
)
