import { generate } from 'selfsigned'

/** A certificate authority of our own and a server certificate from it, all as PEM. */
export interface TestCertificates {
  authority: string
  certificate: string
  key: string
}

/** Makes an authority and, signed by it, a certificate for localhost and 127.0.0.1. */
export async function makeCertificates(): Promise<TestCertificates> {
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
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  })
  return { authority: authority.cert, certificate: server.cert, key: server.private }
}
