import { generate } from 'selfsigned'

/** A certificate authority of our own and a server certificate from it, all as PEM. */
export interface TestCertificates {
  authority: string
  certificate: string
  key: string
}

export interface CertificateOptions {
  /** Another host's certificate, by its name. */
  readonly host?: string
  /** When the server's certificate ends. */
  readonly endsAt?: Date
}

/** Makes an authority and, signed by it, a certificate for localhost and 127.0.0.1 unless it is for another host. */
export async function makeCertificates({ host, endsAt }: CertificateOptions = {}): Promise<TestCertificates> {
  const kind = { keyType: 'ec', algorithm: 'sha256' } as const
  const authority = await generate([{ name: 'commonName', value: 'Authority of the tests' }], {
    ...kind,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  })
  const server = await generate([{ name: 'commonName', value: 'localhost' }], {
    ...kind,
    ca: { key: authority.private, cert: authority.cert },
    ...(endsAt === undefined ? {} : { notBeforeDate: new Date(0), notAfterDate: endsAt }),
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames:
          host === undefined
            ? [
                { type: 2, value: 'localhost' },
                { type: 7, ip: '127.0.0.1' },
              ]
            : [{ type: 2, value: host }],
      },
    ],
  })
  return { authority: authority.cert, certificate: server.cert, key: server.private }
}
