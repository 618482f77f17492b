import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { bufferSettings } from '../../../webhook-inbox/src/settings/buffer.ts'
import { databaseSettings } from '../../src/database/settings.ts'
import { makeCertificates } from '../../../postgres-faults/src/certificates.ts'

// A CA whose base64 holds a + and a /, and needs padding: each is mangled in its own way.
let pem: string
let another: string
let server: string
let key: string
beforeAll(async () => {
  do ({ authority: pem, certificate: server, key } = await makeCertificates())
  while (!/\+/.test(pem) || !/\//.test(pem) || !/=\n?-/.test(pem))
  another = (await makeCertificates()).authority
})

const base64 = (text: string | Uint8Array) => Buffer.from(text).toString('base64')
const lines = () => pem.trim().split('\n')
const derOf = (text: string) => new X509Certificate(text).raw
const bodyOf = (text: string) => base64(derOf(text))
const wrapped = (body: string) => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----`

function read(text: string) {
  const { value, issues = [] } = databaseSettings.parse({ DB_CONNECTION_URL: 'postgres://u:p@db.example.com/d', DB_CA_CERT: text })
  return {
    ca: value?.tls.mode === 'verified' ? value.tls.options.ca : undefined,
    reasons: issues.map(({ variable, reason }) => `${variable} ${reason}`),
  }
}

const certificatesIn = (ca: string | undefined) =>
  (ca?.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []).map(text => new X509Certificate(text).fingerprint256)

const WHOLE: readonly (readonly [form: string, mangle: () => string])[] = [
  ['PEM', () => pem],
  ['Windows line ends', () => pem.replaceAll('\n', '\r\n')],
  ['line ends of old Macs', () => pem.replaceAll('\n', '\r')],
  ['\\n in two characters', () => pem.replaceAll('\n', '\\n')],
  ['\\r\\n in four characters', () => pem.replaceAll('\n', '\\r\\n')],
  ['\\\\n with two backslashes', () => pem.replaceAll('\n', '\\\\n')],
  ['a backslash at the end of each line', () => lines().join('\\\n')],
  ['double quotes', () => `"${pem}"`],
  ['single quotes and \\n', () => `'${pem.replaceAll('\n', '\\n')}'`],
  ['a string of JSON', () => JSON.stringify(pem)],
  ['JSON inside of JSON', () => JSON.stringify(JSON.stringify(pem))],
  ['an array of lines', () => JSON.stringify(lines())],
  ['slashes escaped as PHP does', () => JSON.stringify(pem).replaceAll('/', '\\/')],
  ['plus signs escaped as .NET does', () => JSON.stringify(pem).replaceAll('+', '\\u002B')],
  ['percent-encoding', () => encodeURIComponent(pem)],
  ['a trailing blank', () => `${pem} `],
  ['blanks around it', () => `\n  ${pem}\t\n\n`],
  ['no last line end', () => pem.trimEnd()],
  ['blanks in place of line ends', () => lines().join(' ')],
  ['no line ends at all', () => lines().join('')],
  ['indented lines', () => lines().join('\n    ')],
  ['a byte order mark', () => `\uFEFF${pem}`],
  ['a zero-width blank inside', () => lines().join('\u200B\n')],
  ['dashes replaced by a word processor', () => pem.replaceAll('-----', '—–')],
  ['a dash lost while copying', () => pem.trim().slice(1, -1)],
  ['words in front', () => `subject=/CN=Authority\nissuer=/CN=Authority\n${pem}`],
  ['the old label', () => pem.replaceAll('CERTIFICATE', 'X509 CERTIFICATE')],
  ['base64 of PEM', () => base64(pem)],
  ['base64 in lines', () => base64(pem).replaceAll(/.{76}/g, '$&\n')],
  ['base64 for URLs', () => Buffer.from(pem).toString('base64url')],
  ['base64 in quotes', () => `"${base64(pem)}"`],
  ['base64 of base64', () => base64(base64(pem))],
  ['base64 of PEM with \\n', () => base64(pem.replaceAll('\n', '\\n'))],
  ['base64 of UTF-16, as of PowerShell', () => base64(Buffer.from(`\uFEFF${pem}`, 'utf16le'))],
  ['base64 of DER', () => bodyOf(pem)],
  ['a data URL', () => `data:application/x-pem-file;base64,${base64(pem)}`],
]

describe('a CA certificate', () => {
  it.each(WHOLE)('is taken with %s', (_form, mangle) => {
    const { ca, reasons } = read(mangle())
    expect(reasons).toEqual([])
    expect(certificatesIn(ca)).toEqual([new X509Certificate(pem).fingerprint256])
  })

  it.each([
    ['PEM', () => `${pem}\n${another}`],
    ['no line end between them', () => pem.trimEnd() + another.trimEnd()],
    ['\\n in two characters', () => `${pem}\n${another}`.replaceAll('\n', '\\n')],
    ['blanks in place of line ends', () => `${pem}\n${another}`.replaceAll('\n', ' ')],
    ['base64', () => base64(`${pem}\n${another}`)],
    ['words between them', () => `# one\n${pem}\n# two\n${another}`],
    ['a server’s own in front', () => undefined],
  ])('is taken beside another one: %s', (_form, mangle) => {
    const text = mangle() ?? `${server}\n${pem}`
    const expected = text.startsWith(server) ? [server, pem] : [pem, another]
    expect(certificatesIn(read(text).ca)).toEqual(expected.map(one => new X509Certificate(one).fingerprint256))
  })

  it('is taken after its end, since only the doctor warns of that', async () => {
    const old = await expiredAuthority()
    expect(certificatesIn(read(old).ca)).toHaveLength(1)
  })

  it.each<readonly [what: string, mangle: () => string, reason: RegExp]>([
    ['a private key', () => key, /holds a private key.*remove it/],
    ['a private key with \\n', () => key.replaceAll('\n', '\\n'), /holds a private key/],
    ['base64 of a private key', () => base64(key), /holds a private key/],
    ['a private key as DER', () => base64(newKey('der')), /holds a private key/],
    ['a short private key as DER', () => base64(newKey('der', 'ed25519')), /holds a private key/],
    ['a private key beside it', () => `${pem}\n${key}`, /holds a private key/],
    ['the first line of a private key', () => '-----BEGIN OPENSSH PRIVATE KEY-----', /holds a private key/],
    ['a public key', () => key.replaceAll('PRIVATE', 'PUBLIC'), /holds a public key/],
    ['a certificate request', () => pem.replaceAll('CERTIFICATE', 'CERTIFICATE REQUEST'), /holds a certificate request.*paste the certificate/],
    ['a certificate request of old', () => pem.replaceAll('CERTIFICATE', 'NEW CERTIFICATE REQUEST'), /holds a certificate request/],
    ['a list of revoked ones', () => pem.replaceAll('CERTIFICATE', 'X509 CRL'), /revoked/],
    ['PKCS #7', () => pem.replaceAll('CERTIFICATE', 'PKCS7'), /PKCS #7.*openssl pkcs7/],
    ['the TRUSTED form', () => pem.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE'), /TRUSTED.*openssl x509/],
    ['another block', () => pem.replaceAll('CERTIFICATE', 'DH PARAMETERS'), /block that is no certificate/],
    ['a key of SSH', () => 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI someone', /key of SSH/],
    ['the first line alone, as of .env without quotes', () => lines()[0] ?? '', /cut off, its END line is missing.*quotes/],
    ['one without its end', () => pem.slice(0, 300), /cut off, its END line is missing/],
    ['a second one without its end', () => `${pem}\n${another.slice(0, 300)}`, /cut off, its END line is missing/],
    ['one without its first line', () => lines().slice(1).join('\n'), /has no BEGIN line/],
    ['one without a line inside', () => lines().toSpliced(3, 1).join('\n'), /cut off, or characters are missing/],
    ['one without plus signs, as of a form', () => pem.replaceAll('+', ' '), /cut off, or characters are missing/],
    ['cut base64 of PEM', () => base64(pem).slice(0, 400), /cut off/],
    ['cut base64 of DER', () => bodyOf(pem).slice(0, 200), /cut off/],
    ['one with an n for each line end', () => lines().join('n'), /letter n in place of each line end/],
    ['one with a changed byte', () => wrapped(base64(derOf(pem).fill(0, 4, 12))), /damaged/],
    ['two in one block', () => wrapped(bodyOf(pem) + bodyOf(another)), /several certificates between one BEGIN/],
    ['two in one block as DER', () => wrapped(base64(Buffer.concat([derOf(pem), derOf(another)]))), /several certificates between one BEGIN/],
    ['a good one and a bad one', () => `${pem}\n${wrapped('AAAA')}`, /\(certificate 2 of 2\) is no certificate/],
    ['one of a server', () => server, /certificate of a server.*paste that of the CA/],
    ['an empty block', () => wrapped(''), /empty or shortened/],
    ['dots between its lines', () => wrapped('...'), /empty or shortened/],
    ['the beginning and dots', () => wrapped('MIIEQTCCAqmgAwIBAgIU…'), /empty or shortened/],
    ['strange characters inside', () => wrapped('MII*EQTC'), /characters inside/],
    ['a path', () => '/etc/ssl/certs/ca.crt', /path of a file: paste the content/],
    ['a path from here', () => './ca.pem', /path of a file/],
    ['a path of Windows', () => 'C:\\certs\\ca', /path of a file/],
    ['the name of a file', () => 'ca-certificate.crt', /path of a file/],
    ['a path from home in quotes', () => '"~/ca.pem"', /path of a file/],
    ['a file as a URL', () => 'file:///etc/ssl/ca', /path of a file/],
    ['an address', () => 'https://example.com/ca.crt', /is an address/],
    ['a placeholder of App Platform', () => '${db.CA_CERT}', /placeholder that was not filled in/],
    ['a command that no shell has run', () => '$(cat ca.pem)', /placeholder/],
    ['a word in angle brackets', () => '<the CA certificate>', /placeholder/],
    ['a word in its place', () => 'your-ca-certificate', /placeholder/],
    ['nonsense', () => 'nonsense', /holds no certificate: paste the whole PEM text/],
    ['a page of a browser', () => '<html><body>Not found</body></html>', /holds no certificate/],
    ['base64 of nonsense', () => base64('nothing that anyone could read'), /holds no certificate/],
  ])('is refused by name: %s', (_what, mangle, reason) => {
    const text = mangle()
    const { ca, reasons } = read(text)
    expect(ca).toBeUndefined()
    expect(reasons).toEqual([expect.stringMatching(/^DB_CA_CERT /)])
    expect(reasons[0]).toMatch(reason)
    expect(hasPieceOf(reasons[0] ?? '', text)).toBe(false)
  })

  it('is read for the buffer in the same way', () => {
    const ofBuffer = (text: string) => bufferSettings.parse({ REDIS_URL: 'rediss://redis.example', REDIS_CA_CERT: text })
    expect(certificatesIn(ofBuffer(pem.replaceAll('\n', '\\n')).value?.ca)).toHaveLength(1)
    expect(ofBuffer(key).issues).toEqual([{ variable: 'REDIS_CA_CERT', reason: expect.stringMatching(/holds a private key/) as string }])
  })

  it('is never invented, and its text never repeated', () => {
    const pieces = () =>
      fc.constantFrom('-----BEGIN ', '-----END ', 'CERTIFICATE', '-----', '\n', '\\n', ...lines().slice(1, -1), 'MIIB', '=', '"', '%0A', ' ')
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces(), fc.string()), { maxLength: 20 }), texts => {
        const { ca, reasons } = read(texts.join(''))
        if (ca === undefined) return reasons.every(reason => !hasPieceOf(reason, texts.join('')))
        return certificatesIn(ca).every(one => one === new X509Certificate(pem).fingerprint256)
      }),
    )
  })
})

/** Whether 16 characters in a row of base64 are repeated. */
function hasPieceOf(reason: string, text: string): boolean {
  const pieces = text.match(/[A-Za-z0-9+/]{16,}/g) ?? []
  return pieces.some(piece => Array.from({ length: piece.length - 15 }, (_, at) => piece.slice(at, at + 16)).some(part => reason.includes(part)))
}

function newKey(format: 'der', kind: 'rsa' | 'ed25519' = 'rsa'): Buffer {
  const { privateKey } = kind === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519')
  return privateKey.export({ format, type: 'pkcs8' })
}

async function expiredAuthority(): Promise<string> {
  const { generate } = await import('selfsigned')
  const { cert } = await generate([{ name: 'commonName', value: 'Old authority' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(0),
    notAfterDate: new Date('2020-01-01'),
    extensions: [{ name: 'basicConstraints', cA: true, critical: true }],
  })
  return cert
}
