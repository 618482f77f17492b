import { X509Certificate } from 'node:crypto'
import { holdsPlaceholder } from './placeholder.ts'

export type ReadCertificates = { readonly pem: string } | { readonly refused: string }

const PASTE = 'paste the whole PEM text of the CA, or base64 of it on one line'
const SEVERAL = 'has several certificates between one BEGIN and one END line: give each its own'
const ONLY_CA = 'only certificates belong here: remove it'
const PRIVATE_KEY = `holds a private key; ${ONLY_CA}, and replace the key if others have seen it`
// What a PEM block is that is no certificate. The first that matches its label counts.
const OTHER_BLOCKS: readonly (readonly [label: RegExp, refusal: string])[] = [
  [/PRIVATE KEY/, PRIVATE_KEY],
  [/REQUEST/, 'holds a certificate request, not a certificate: paste the certificate of the CA'],
  [/PUBLIC KEY/, `holds a public key; ${ONLY_CA}`],
  [/CRL/, `holds a list of revoked certificates; ${ONLY_CA}`],
  [/PKCS ?7|CMS/, 'holds PKCS #7: openssl pkcs7 -print_certs makes PEM of it'],
  [/TRUSTED/, 'holds a certificate in the TRUSTED form of OpenSSL: openssl x509 makes PEM of it'],
]
// No more dashes than there are: the next marker may follow without a line end.
const MARKER = /-{1,5}\s*(BEGIN|END)\s*([A-Z0-9 ]+?)\s*-{1,5}/gi
// Base64 of base64 of PEM is the most that consoles make.
const MOST_LAYERS = 3

/**
 * Reads a CA bundle in whatever form consoles leave it: PEM with its line ends written out, lost or replaced by blanks, in
 * quotes, percent-encoded, or as base64 of it or of its DER. Every certificate has been parsed. A refusal reads on after
 * the variable's name and repeats nothing of the value.
 */
export function readCertificates(text: string): ReadCertificates {
  return read(text, MOST_LAYERS)
}

function read(text: string, layers: number): ReadCertificates {
  const plain = unescape(text)
  const markers = [...plain.matchAll(MARKER)]
  return markers.length > 0 ? readBlocks(plain, markers) : (readEncoded(plain, layers) ?? { refused: explain(text.trim()) })
}

/** None of these escapes can be meant otherwise: base64 has neither backslashes nor percent signs. */
function unescape(text: string): string {
  return text
    .replace(/\\+u([0-9a-f]{4})|%([0-9a-f]{2})/gi, (_, code: string | undefined, byte: string) => String.fromCharCode(parseInt(code ?? byte, 16)))
    .replace(/\\+[rnt]/g, '\n')
    .replace(/\\/g, '')
    .replace(/[\u2010-\u2015\u2212]/g, '-')
}

function readBlocks(text: string, markers: readonly RegExpExecArray[]): ReadCertificates {
  const pieces = markers.map((marker, index) => {
    const [found, word = '', label = ''] = marker
    return {
      begins: word.toUpperCase() === 'BEGIN',
      label: label.toUpperCase(),
      body: text.slice(marker.index + found.length, markers[index + 1]?.index).replace(/[\s\p{Cf}"'`,-]/gu, ''),
    }
  })
  const other = OTHER_BLOCKS.find(([pattern]) => pieces.some(({ label }) => pattern.test(label)))
  if (other !== undefined) return { refused: other[1] }
  if (pieces.some(({ label }) => !/^(?:X509 )?CERTIFICATE$/.test(label))) return { refused: `holds a block that is no certificate; ${ONLY_CA}` }

  const bodies = pieces.filter(({ begins }) => begins)
  const ends = pieces.filter(({ begins }, index) => !begins && pieces[index - 1]?.begins === true)
  if (ends.length < bodies.length) return { refused: `is cut off, its END line is missing: ${PASTE}; in .env, several lines need quotes` }
  if (bodies.length + ends.length < pieces.length) return { refused: `has no BEGIN line: ${PASTE}` }
  const certificates: X509Certificate[] = []
  for (const [index, { body }] of bodies.entries()) {
    const one = readBody(body)
    if ('refused' in one) return { refused: `${bodies.length > 1 ? `(certificate ${index + 1} of ${bodies.length}) ` : ''}${one.refused}` }
    certificates.push(one.certificate)
  }
  return accept(certificates)
}

function readBody(body: string): { certificate: X509Certificate } | { refused: string } {
  if (/^\.*$|…|\.{3}/.test(body)) return { refused: `is empty or shortened between its BEGIN and END lines: ${PASTE}` }
  // Some shells take the backslash of \n away.
  if (/^nMI/.test(body)) return { refused: `has the letter n in place of each line end: ${PASTE}` }
  if (/=[^=]/.test(body)) return { refused: SEVERAL }
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(body)) return { refused: `has characters inside that belong to no certificate: ${PASTE}` }
  return readDer(Buffer.from(body, 'base64'))
}

function readDer(der: Buffer): { certificate: X509Certificate } | { refused: string } {
  const length = lengthOf(der)
  if (length === undefined) return { refused: `is no certificate between its BEGIN and END lines: ${PASTE}` }
  if (length > der.length) return { refused: `is cut off, or characters are missing inside: ${PASTE}` }
  if (length < der.length) return { refused: SEVERAL }
  try {
    return { certificate: new X509Certificate(der) }
  } catch {
    return { refused: `is damaged, or is no certificate: ${PASTE}` }
  }
}

/** How long a DER sequence says it is, in bytes. */
function lengthOf(der: Buffer): number | undefined {
  const [tag, first] = der
  if (tag !== 0x30 || first === undefined) return undefined
  if (first < 0x80) return 2 + first
  const bytes = first - 0x80
  return bytes >= 1 && bytes <= 4 && der.length >= 2 + bytes ? 2 + bytes + der.readUIntBE(2, bytes) : undefined
}

function readEncoded(text: string, layers: number): ReadCertificates | undefined {
  const encoded = text.replace(/^\s*["'`]?data:[^,]*,/i, '').replace(/[\s\p{Cf}"'`]/gu, '')
  if (layers === 0 || !/^[A-Za-z0-9+/_-]{16,}={0,2}$/.test(encoded)) return undefined
  const bytes = Buffer.from(encoded, 'base64')
  if (isSequence(bytes)) return readBareDer(bytes)
  // PowerShell's base64 is of UTF-16.
  const inner = bytes.toString('latin1').replaceAll('\0', '')
  return inner.search(MARKER) >= 0 || /^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(inner) ? read(inner, layers - 1) : undefined
}

// A text may begin with the same byte, which is a 0.
function isSequence(bytes: Buffer): boolean {
  return bytes[0] === 0x30 && ((bytes[1] ?? 0) >= 0x80 || lengthOf(bytes) === bytes.length)
}

function readBareDer(der: Buffer): ReadCertificates {
  const content = der[2 + Math.max(0, (der[1] ?? 0) - 0x80)]
  // A private key begins with the number of its version, a certificate with what was signed.
  if (content === 0x02) return { refused: PRIVATE_KEY }
  const one = readDer(der)
  return 'refused' in one ? one : accept([one.certificate])
}

function accept(certificates: readonly X509Certificate[]): ReadCertificates {
  // A server's own certificate verifies nothing, unless it has signed itself.
  if (certificates.every(({ ca, issuer, subject }) => !ca && issuer !== subject))
    return { refused: 'holds the certificate of a server, not of the CA that signed it: paste that of the CA' }
  return { pem: certificates.map(certificate => certificate.toString().trim()).join('\n') }
}

function explain(text: string): string {
  const name = text.replace(/^["'`]|["'`]$/g, '')
  if (holdsPlaceholder(name) || /^(?:your|my)[-_ ]/i.test(name)) return `has a placeholder that was not filled in: ${PASTE}`
  if (/^https?:/i.test(name)) return 'is an address, not a certificate: paste what is found there'
  if (/^(?:file:|@|~|\.{0,2}[\\/]|[a-z]:[\\/])|\.(?:pem|crt|cer|ca|der|key|txt)$/i.test(name))
    return 'is the path of a file: paste the content of the file'
  if (/^(?:ssh-|ecdsa-)/.test(name)) return `holds a key of SSH: ${PASTE}`
  return `holds no certificate: ${PASTE}`
}
