import { type IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/**
 * Whether somebody on this machine has sent the request on purpose. The sender's address alone does not tell: a
 * tunnel's end is on this machine too, and so is a browser, which sends what any page tells it to. Those show in the
 * `host` that was asked for and in the `origin` of the page.
 */
export function isFromThisMachine({ socket, headers: { host, origin } }: Pick<IncomingMessage, 'socket' | 'headers'>): boolean {
  if (!isLoopback(socket.remoteAddress ?? '') || !isLoopback(URL.parse(`http://${host}`)?.hostname ?? '')) return false
  return origin === undefined || isLoopback(URL.parse(origin)?.hostname ?? '')
}

/** Whether a host as it stands in a URL, or an address, is this machine's own. No name but `localhost` is. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1')
  if (address === 'localhost') return true
  const version = isIP(address)
  return version !== 0 && LOOPBACK.check(address, version === 4 ? 'ipv4' : 'ipv6')
}
