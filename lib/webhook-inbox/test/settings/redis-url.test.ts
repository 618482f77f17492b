import { createClient } from '@redis/client'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bufferSettings } from '../../src/settings/buffer.ts'

// Nothing of these may be repeated. Each is found in no reason by accident.
const marks = { user: 'uusserr', password: 'Zq7zQ', host: 'hhosst' }
const { user, password, host } = marks
const url = `rediss://${user}:${password}@${host}.example.com:6380`

const reasonsFor = (text: string) => (bufferSettings.parse({ REDIS_URL: text }).issues ?? []).map(one => `${one.variable} ${one.reason}`)

describe('REDIS_URL', () => {
  it.each([
    ['a server of this machine', 'redis://127.0.0.1:6379'],
    ['a name in a private network', 'redis://redis:6380'],
    ['an address in a private network', 'redis://10.0.0.5:6380'],
    ['a managed one of DigitalOcean', `rediss://default:${password}@${host}.db.ondigitalocean.com:25061`],
    ['TLS on the ordinary port', `rediss://default:${password}@${host}.example.com:6379`],
    ['a password alone', `redis://:${password}@127.0.0.1`],
    ['an IPv6 address', `redis://:${password}@[2001:db8::1]:6379`],
    ['a database index', `${url}/12`],
    ['a slash and no index', `${url}/`],
    ['encoded characters', `rediss://u%40x:p%40s%2Fs%23w%3F%25@${host}.example.com`],
  ])('is taken for %s', (_what, text) => {
    expect(bufferSettings.parse({ REDIS_URL: text }).value?.url).toBe(text)
  })

  it.each([
    ['a line end', `${url}\n`],
    ['blanks', `  ${url} `],
    ['a byte order mark', `\uFEFF${url}`],
    ['capitals', url.replace('rediss', 'REDISS')],
  ])('is taken without %s', (_what, text) => {
    expect(bufferSettings.parse({ REDIS_URL: text }).value?.url).toBe(url)
  })

  it.each<readonly [what: string, text: string, reason: RegExp]>([
    ['HTTP', `https://${host}.upstash.io`, /address for HTTP: write .* rediss:\/\//],
    ['PostgreSQL', `postgresql://${user}:${password}@${host}/x`, /URL of PostgreSQL: write it into DB_CONNECTION_URL/],
    ['the scheme of Valkey', url.replace('rediss', 'valkey'), /begins with valkey:\/\/: write redis:\/\//],
    ['the scheme of Valkey with TLS', url.replace('rediss', 'valkeys'), /begins with valkeys:\/\/: write rediss:\/\//],
    ['an unknown scheme', url.replace('rediss', 'tcp'), /does not begin with rediss:\/\/ or redis:\/\//],
    ['no scheme', `${host}:6379`, /no scheme: write rediss:\/\//],
    ['no slashes after the scheme', `redis:${host}:6379`, /no \/\/ after its scheme/],
    ['a socket', `unix:///tmp/${host}.sock`, /file of a socket/],
    ['a socket for a host', `redis://:${password}@%2Ftmp%2F${host}`, /folder of a socket for its host/],
    ['Sentinel', `redis+sentinel://${host}:26379/mymaster`, /address of Sentinel.*write that of the primary/],
    ['Sentinel with a hyphen', `redis-sentinel://${host}:26379`, /address of Sentinel/],
    ['Sentinel by a parameter', `redis://${host}?sentinelMasterId=mymaster`, /parameter sentinelmasterid/],
    ['a cluster', `redis-cluster://${host}:6379`, /address of a cluster/],
    ['several hosts', `redis://${host}1,${host}2:6379`, /several hosts/],
    ['several hosts with ports', `redis://${host}1:6379,${host}2:6379`, /several hosts/],
    ['no host', `redis://:${password}@:6379`, /no host: write/],
    ['a scheme and nothing more', 'redis://', /no host/],
    ['a path in place of a host', 'redis:///0', /no host/],
    ['no TLS at a managed one', `redis://default:${password}@${host}.db.ondigitalocean.com:25061`, /only TLS: write rediss:\/\//],
    ['no TLS on a port for TLS', `redis://:${password}@${host}.redis.cache.windows.net:6380`, /only TLS/],
    ['a database by its name', `${url}/main`, /database index that is no number/],
    ['a negative index', `${url}/-1`, /database index that is no number/],
    ['a hexadecimal index', `${url}/0x1`, /database index that is no number/],
    ['an index with an exponent', `${url}/1e3`, /database index that is no number/],
    ['half an index', `${url}/1.5`, /database index that is no number/],
    ['two indices', `${url}/1/2`, /database index that is no number/],
    ['an index as a parameter', `${url}?db=1`, /parameter db, .*after the port, as \/1/],
    ['TLS as a parameter', `redis://${user}:${password}@${host}?tls=true`, /parameter tls, .*rediss:\/\//],
    ['the checks of redis-py', `${url}?ssl_cert_reqs=none`, /parameter ssl_cert_reqs/],
    ['a password as a parameter', `rediss://${host}?password=${password}`, /parameter password, .*before the host/],
    ['an unknown parameter', `${url}?family=6`, /parameter family, which is not read: remove it/],
    ['a fragment', `${url}#0`, /unescaped #/],
    ['@ in the password', `redis://:${password}@x@${host}`, /has @ unescaped .* write %40/],
    ['/ in the password', `redis://:${password}/x@${host}`, /has \/ unescaped .* write %2F/],
    ['# in the password', `redis://:${password}#x@${host}`, /has # unescaped .* write %23/],
    ['? in the password', `redis://:${password}?x@${host}`, /has \? unescaped .* write %3F/],
    ['% in the password', `redis://:${password}%zz@${host}`, /percent sign in its password/],
    ['a line end in the password', `redis://:${password}\n@${host}`, /a blank, a line end/],
    ['a line end in the password, encoded', `redis://:${password}%0A@${host}`, /line end .* in its password/],
    ['a password for the user', `redis://${password}@${host}`, /a user and no password: .*:password@/],
    ['a user and an empty password', `redis://${user}:@${host}`, /a user and no password/],
    ['an empty password', `redis://:@${host}`, /an empty password/],
    ['a port of letters', `redis://${host}:abc`, /no number from 1 to 65535/],
    ['a port that is too high', `redis://${host}:99999`, /no number from 1 to 65535/],
    ['a colon and no port', `redis://${host}:`, /a colon and no port/],
    ['an encoded host', `redis://%68${host}`, /host that is not plain ASCII/],
    ['a host with umlauts', `redis://ü${host}.example.com`, /host that is not plain ASCII/],
    ['quotes', `"${url}"`, /quotation marks/],
    ['redis-cli', `redis-cli --tls -u ${url}`, /command line: write only the URL/],
    ['redis-cli with flags', `REDISCLI_AUTH=${password} redis-cli -h ${host}`, /command line/],
    ['the name of a variable', `REDIS_URL=${url}`, /name of a variable/],
    ['a placeholder', '${redis.REDIS_URL}', /placeholder/],
    ['a placeholder in its parts', `rediss://default:<password>@${host}`, /placeholder/],
    ['asterisks', `rediss://default:*****@${host}`, /asterisks/],
    ['a list of options of .NET', `${host}:6380,password=${password},ssl=True,abortConnect=False`, /list of options as for \.NET/],
  ])('is refused for what it is: %s', (_what, text, reason) => {
    const reasons = reasonsFor(text)
    expect(reasons.join('\n')).toMatch(reason)
    for (const one of reasons) expect(one).toMatch(/^REDIS_URL (?:has|is|begins|does) /)
    expect(Object.values(marks).filter(mark => reasons.join().includes(mark))).toEqual([])
  })

  it('is told everything that is wrong at once', () => {
    expect(reasonsFor(`redis://${user}@${host}:x/main?db=1`)).toEqual([
      expect.stringContaining('has a port'),
      expect.stringContaining('has a user and no password'),
      expect.stringContaining('has the parameter db'),
      expect.stringContaining('has a database index'),
    ])
  })

  it('is read by the client as it is here, if it is taken', () => {
    const piece = fc.oneof(fc.string(), fc.constantFrom('@', ':', '/', '?', '#', '%40', '%', '[::1]', 'a', '1', ',', '%2F', 'x', '0'))
    let taken = 0
    fc.assert(
      fc.property(fc.constantFrom('redis', 'rediss'), fc.array(piece, { maxLength: 6 }), fc.array(piece, { maxLength: 6 }), (scheme, one, other) => {
        const secret = one.join('')
        const { value } = bufferSettings.parse({ REDIS_URL: `${scheme}://u:${secret}@h${other.join('')}` })
        if (value === undefined) return
        taken += 1
        const { options } = createClient({ url: value.url })
        const [, name, port, index] = /^h([\w.-]*)(?::(\d+))?(?:\/(\d*))?$/.exec(`h${other.join('')}`.trim().replace(/\?[?&]*$/, '')) ?? []
        expect([options.username, options.password, options.database ?? 0, options.socket]).toEqual([
          'u',
          decodeURIComponent(secret),
          Number(index ?? 0),
          { host: `h${name}`, tls: scheme === 'rediss', ...(port === undefined ? {} : { port: Number(port) }) },
        ])
      }),
      { numRuns: 2_000 },
    )
    expect(taken).toBeGreaterThan(20)
  })
})
