import { chown, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Identity } from './identity.ts'

/** What the server shows to clients that ask for TLS, both as PEM. */
export interface ServerCertificate {
  certificate: string
  key: string
}

/** Puts a certificate and its key into the data folder and returns the settings that turn TLS on with them. */
export async function installCertificate(
  dataFolder: string,
  pair: ServerCertificate,
  identity: Identity | undefined,
): Promise<Record<string, string>> {
  const files = [
    ['server.crt', pair.certificate],
    ['server.key', pair.key],
  ] as const
  for (const [name, pem] of files) {
    const path = join(dataFolder, name)
    // Written anew: the mode given here is not applied to a file that exists.
    await rm(path, { force: true })
    await writeFile(path, pem, { mode: 0o600 })
    if (identity) await chown(path, identity.uid, identity.gid)
  }
  return { ssl: 'on', ssl_cert_file: 'server.crt', ssl_key_file: 'server.key' }
}
