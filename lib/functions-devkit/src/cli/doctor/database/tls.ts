import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { connect, TLSSocket } from 'node:tls'
import type pg from 'pg'
import type { DatabaseSettings } from '../../../../../functions-runtime/src/database/settings.ts'
import { isLoopback } from '../../../server/loopback.ts'
import { findingsOf, type Finding } from '../finding.ts'
import { within } from '../within.ts'

const PROBE_MS = 3_000
const DAY_MS = 86_400_000
const WARN_DAYS = 30

/** Whether the server takes TLS with the first byte of a connection: it then agrees to speak PostgreSQL. Never rejects. */
export async function takesDirectTls({ host, port }: DatabaseSettings): Promise<boolean> {
  const options = { host, port, ALPNProtocols: ['postgresql'], rejectUnauthorized: false, ...(isIP(host) === 0 ? { servername: host } : {}) }
  const socket = connect(options)
  const agreed = new Promise<boolean>(resolve => {
    socket
      .once('secureConnect', () => resolve(socket.alpnProtocol === 'postgresql'))
      .once('error', () => resolve(false))
      .once('close', () => resolve(false))
  })
  try {
    return await within(PROBE_MS, agreed)
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** What protects a connection that is open. */
export function judgeTls(
  client: pg.Client,
  { settings, direct, now }: { settings: DatabaseSettings; direct: boolean; now: () => number },
): Finding[] {
  const tls = findingsOf('tls')
  const stream: unknown = client.connection.stream
  if (settings.tls.mode === 'off' || !(stream instanceof TLSSocket)) {
    return [
      isLoopback(settings.host) || settings.host.startsWith('/')
        ? tls.ok('none, on this machine')
        : tls.warn('the connection is not encrypted', 'sslmode=require in the URL, or DB_SSLMODE=require'),
    ]
  }
  const version = stream.getProtocol() ?? 'TLS'
  return [
    settings.tls.mode === 'unverified'
      ? tls.warn(`${version}, but to whom is not known`, 'DB_CA_CERT: the CA certificate from the database’s page')
      : tls.ok(`${version}, the server verified in full`),
    settings.tls.negotiation === 'direct'
      ? tls.ok('it begins with the first byte')
      : tls.ok(
          direct
            ? 'the server would take it with the first byte: DB_TLS_NEGOTIATION=direct saves a trip for each connection'
            : 'it is asked for first',
        ),
    ...judgeCertificates(stream, settings, now),
  ]
}

function judgeCertificates(stream: TLSSocket, { tls }: DatabaseSettings, now: () => number): Finding[] {
  const { ok, warn } = findingsOf('certificate')
  const leaf = stream.getPeerX509Certificate()
  if (leaf === undefined) return []
  const ours =
    tls.mode === 'off' ? [] : (tls.options.ca?.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []).map(pem => new X509Certificate(pem))
  const leftMs = Math.min(...[leaf, ...ours].map(one => Date.parse(one.validTo))) - now()
  const days = Math.trunc(leftMs / DAY_MS)
  if (leftMs < 0)
    return [warn(`has expired ${-days} days ago; unverified connections do not mind, verified ones fail`, 'renew it on the server, then DB_CA_CERT')]
  if (days < WARN_DAYS) return [warn(`ends in ${days} days`, 'renew it on the server before that; DB_CA_CERT takes the CA’s new one')]
  return [ok(`valid for ${days} days more`)]
}
