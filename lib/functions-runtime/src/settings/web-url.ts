/** Reads the address of somebody else's endpoint: over https, or on this machine over http. */
export function readWebUrl(text: string): { url: string } | { refused: string } {
  if (!URL.canParse(text)) return { refused: 'is no URL' }
  const { protocol, hostname, username, password } = new URL(text)
  if (username !== '' || password !== '') return { refused: 'holds a user name or a password, which belong into its path or query' }
  const local = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
  if (protocol === 'https:' || (protocol === 'http:' && local)) return { url: text }
  return { refused: 'does not begin with https:// (http:// is for this machine alone)' }
}
