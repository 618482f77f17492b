import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { generate, type SelfsignedOptions } from 'selfsigned'
import { makeCertificates } from '../../../postgres-faults/src/certificates.ts'
import { type Tls } from '../../../functions-runtime/src/settings/tls.ts'
import { type Provocations } from './provocation.ts'
import { type Stage } from './stage.ts'

/** A server with TLS, and the authority that vouches for it. */
export interface TlsStage {
  stage: Stage
  authority: string
}

interface Pair {
  cert: string
  key: string
}

const MINUTE_MS = 60_000
const KIND = { keyType: 'ec', algorithm: 'sha256' } as const
const ROOT: SelfsignedOptions = { extensions: [{ name: 'basicConstraints', cA: true, critical: true }] }

/** What is met when the server does not prove that it is the right one. */
export const tlsProvocations: Provocations<TlsStage> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: [
    {
      when: 'another authority is trusted',
      raise: async ({ stage }) => stage.open({ tls: verified({ ca: (await issue('another root', ROOT)).cert }) }),
    },
    { when: 'no authority is named', raise: ({ stage }) => stage.open({ tls: verified({}) }) },
  ],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    {
      when: 'the certificate is for another host',
      raise: ({ stage, authority }) => stage.open({ tls: verified({ ca: authority, servername: 'other.example' }) }),
    },
  ],
  DEPTH_ZERO_SELF_SIGNED_CERT: [
    { when: 'the server vouches for itself', raise: async ({ stage }) => connectTo(stage, await issue('localhost'), {}) },
  ],
  SELF_SIGNED_CERT_IN_CHAIN: [{ when: 'the server brings a root that is not trusted', raise: bringRoot }],
  UNABLE_TO_GET_ISSUER_CERT: [{ when: 'the server brings a chain whose end is not known', raise: bringChain }],
  'CERT_*': [
    {
      when: 'an authority of the same name is trusted',
      raise: async ({ stage }) => stage.open({ tls: verified({ ca: (await makeCertificates()).authority }) }),
    },
    { when: 'the certificate has expired', raise: ({ stage }) => connectAt(stage, -2 * MINUTE_MS, -MINUTE_MS) },
    { when: 'the certificate is for later', raise: ({ stage }) => connectAt(stage, MINUTE_MS, 2 * MINUTE_MS) },
  ],
}

function verified(more: { ca?: string; servername?: string }): Tls {
  return { mode: 'verified', options: { minVersion: 'TLSv1.2', rejectUnauthorized: true, ...more } }
}

async function issue(commonName: string, options: SelfsignedOptions = {}): Promise<Pair> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: commonName }], { ...KIND, ...options })
  return { cert, key }
}

async function bringRoot({ stage }: TlsStage): Promise<void> {
  const root = await issue('root', ROOT)
  const leaf = await issue('localhost', { ca: root })
  await connectTo(stage, { key: leaf.key, cert: `${leaf.cert}\n${root.cert}` }, {})
}

async function bringChain({ stage }: TlsStage): Promise<void> {
  const root = await issue('root', ROOT)
  const between = await issue('between', { ...ROOT, ca: root })
  const leaf = await issue('localhost', { ca: between })
  await connectTo(stage, { key: leaf.key, cert: `${leaf.cert}\n${between.cert}` }, {})
}

async function connectAt(stage: Stage, fromMs: number, toMs: number): Promise<void> {
  const root = await issue('root', ROOT)
  const now = Date.now()
  const leaf = await issue('localhost', { ca: root, notBeforeDate: new Date(now + fromMs), notAfterDate: new Date(now + toMs) })
  await connectTo(stage, leaf, { ca: root.cert })
}

/** Connects to something that agrees to TLS as PostgreSQL does and shows that certificate; what follows never comes. */
async function connectTo(stage: Stage, pair: Pair, trust: { ca?: string }): Promise<void> {
  const secureContext = createSecureContext(pair)
  const sockets = new Set<Socket>()
  const front = createServer(socket => {
    sockets.add(socket.on('error', () => undefined))
    socket.once('data', () => {
      socket.write('S')
      new TLSSocket(socket, { isServer: true, secureContext }).on('error', () => undefined)
    })
  }).listen(0, '127.0.0.1')
  await once(front, 'listening')
  try {
    await stage.open({ port: (front.address() as AddressInfo).port, tls: verified(trust) })
  } finally {
    for (const socket of sockets) socket.destroy()
    front.close()
    await once(front, 'close')
  }
}
