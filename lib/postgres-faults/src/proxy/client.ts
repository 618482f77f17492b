import type pg from 'pg'
import { type Proxy } from './proxy.ts'

/** How pg reaches the server through a proxy: with TLS, the proxy verified by its own authority. */
export function settingsThrough(
  proxy: Pick<Proxy, 'host' | 'port' | 'authority'>,
  { user, password }: { readonly user: string; readonly password: string },
): pg.ClientConfig {
  const { host, port, authority } = proxy
  return { host, port, user, password, database: 'postgres', ssl: authority === '' ? false : { ca: authority } }
}
