/** How a server is checked. */
export interface TlsOptions {
  readonly minVersion: 'TLSv1.2'
  readonly rejectUnauthorized: boolean
  readonly ca?: string
}

/** How TLS begins: asked for in the protocol's own words, which every server knows, or with the first byte, a trip less. */
export const tlsNegotiations = ['postgres', 'direct'] as const
export type TlsNegotiation = (typeof tlsNegotiations)[number]

export type Tls =
  { readonly mode: 'off' } | { readonly mode: 'verified' | 'unverified'; readonly options: TlsOptions; readonly negotiation?: TlsNegotiation }

/** What pg is given for a connection to `host`; its `ssl` is handed to `tls.connect`. */
export function pgTls(tls: Tls, host: string): { ssl: (TlsOptions & { readonly servername?: string }) | false; sslnegotiation: TlsNegotiation } {
  if (tls.mode === 'off') return { ssl: false, sslnegotiation: 'postgres' }
  // Node takes a while to load this, and whoever connects to nothing does without.
  const { isIP } = process.getBuiltinModule('node:net')
  // A name is sent for SNI and checked against the certificate; an IP address must not be sent as one.
  const named = isIP(host) === 0 ? { servername: host } : {}
  return { ssl: { ...tls.options, ...named }, sslnegotiation: tls.negotiation ?? 'postgres' }
}

/**
 * libpq's words. `allow` and `prefer` leave the choice to the host, as no sslmode does. `verify-ca` checks the host name
 * too, as `verify-full` does.
 */
export const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
export type SslMode = (typeof sslModes)[number]

export type TlsDecision = Tls | { readonly refused: string; readonly variable: 'sslmode' | 'ca' }

const MANAGED_HOST = /\.db\.ondigitalocean\.com\.?$/i

/** Whether the host is one of DigitalOcean's managed databases, which accept nothing but TLS. */
export function isManagedHost(host: string): boolean {
  return MANAGED_HOST.test(host)
}

/**
 * Decides once, for the whole project, how a connection to `host` is secured. A CA means full verification, host
 * name included, whatever weaker mode was asked for. Without one, a host that is not this machine is encrypted but
 * unverified, unless verification was asked for (then Node's own roots decide) or `disable` says otherwise.
 */
export function decideTls({ host, sslmode, ca }: { host: string; sslmode?: SslMode | undefined; ca?: string | undefined }): TlsDecision {
  if (sslmode === 'disable') {
    if (isManagedHost(host)) return { refused: 'asks for sslmode=disable, which a managed database refuses: write require', variable: 'sslmode' }
    if (ca !== undefined) return { refused: 'is set although sslmode=disable turns TLS off: leave one of them out', variable: 'ca' }
    return { mode: 'off' }
  }
  const wished = sslmode === 'require' || sslmode === 'verify-ca' || sslmode === 'verify-full'
  if (host.startsWith('/')) {
    if (wished) return { refused: 'asks for TLS through a socket, which has none: write sslmode=disable', variable: 'sslmode' }
    if (ca !== undefined) return { refused: 'is set although a socket has no TLS: leave it out', variable: 'ca' }
  }
  if (!wished && ca === undefined && isThisMachine(host)) return { mode: 'off' }
  const verified = ca !== undefined || sslmode === 'verify-ca' || sslmode === 'verify-full'
  return {
    mode: verified ? 'verified' : 'unverified',
    options: {
      minVersion: 'TLSv1.2',
      rejectUnauthorized: verified,
      ...(ca === undefined ? {} : { ca }),
    },
  }
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host) || host.startsWith('/')
}
