import fc from 'fast-check'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { databaseSettings, migrationSettings } from '../../src/database/settings.ts'
import { sslModes } from '../../src/settings/tls.ts'

// Nothing of these may be repeated. Each is found in no reason by accident.
const marks = { user: 'uusserr', password: 'Zq7zQ', host: 'hhosst', name: 'ddatta' }
const { user, password, host, name } = marks
const login = `${user}:${password}`
const url = `postgresql://${login}@${host}.example.com:25060/${name}`
const remote = `${host}.db.ondigitalocean.com`

const reasonsFor = (text: string) => (databaseSettings.parse({ DB_CONNECTION_URL: text }).issues ?? []).map(one => `${one.variable} ${one.reason}`)
const read = (text: string) => databaseSettings.parse({ DB_CONNECTION_URL: text }).value

describe('a connection URL', () => {
  it.each([
    ['of a database of DigitalOcean', `postgresql://${login}@${remote}:25060/${name}?sslmode=require`, { port: 25_060, pooled: false }],
    ['of a pool of DigitalOcean', `postgresql://${login}@${remote}:25061/${name}?sslmode=require`, { port: 25_061, pooled: true }],
    ['of a private network', `postgresql://${login}@private-${remote}:25060/${name}?sslmode=require`, { host: `private-${remote}` }],
    ['with the short scheme', url.replace('postgresql', 'postgres'), { port: 25_060 }],
    ['with its scheme in capitals', url.replace('postgresql', 'POSTGRESQL'), { port: 25_060 }],
    ['without a port', `postgres://${login}@${host}/${name}`, { port: 5432 }],
    ['with an IPv6 address', `postgres://${login}@[2001:db8::1]:6432/${name}`, { host: '2001:db8::1', port: 6432 }],
    ['with the folder of a socket', `postgres://${login}@%2Fvar%2Frun%2Fpostgresql/${name}`, { host: '/var/run/postgresql', tls: { mode: 'off' } }],
    ['with blanks and line ends around it', `\n ${url}\r\n`, { port: 25_060 }],
    ['with a byte order mark', `\uFEFF${url}`, { port: 25_060 }],
    ['with a colon in the password', `postgres://${user}:a:b@${host}/${name}`, { password: 'a:b' }],
    ['with everything encoded', `postgres://u%40x:p%40s%2Fs%23w%3F%25%20@${host}/a%2Fb`, { user: 'u@x', password: 'p@s/s#w?% ', name: 'a/b' }],
    ['with brackets in the password', `postgres://${user}:x<3>y{z}@${host}/${name}`, { password: 'x<3>y{z}' }],
  ])('is taken %s', (_what, text, expected) => {
    expect(reasonsFor(text)).toEqual([])
    expect(read(text)).toMatchObject(expected)
  })

  it.each<readonly [what: string, text: string, reason: RegExp]>([
    ['several hosts', `postgresql://${login}@${host}1,${host}2/${name}`, /several hosts: write only one/],
    ['several hosts with ports', `postgresql://${login}@${host}1:5432,${host}2:5433/${name}`, /several hosts/],
    ['several hosts, one an address', `postgresql://${login}@[::1],${host}/${name}`, /several hosts/],
    ['double quotes', `"${url}"`, /quotation marks around it/],
    ['single quotes', `'${url}'`, /quotation marks/],
    ['typographic quotes', `“${url}”`, /quotation marks/],
    ['one quote alone', `${url}"`, /quotation marks/],
    ['backticks', `\`${url}\``, /quotation marks/],
    ['psql in front', `psql ${url}`, /command line: write only the URL/],
    ['psql and quotes', `psql '${url}?sslmode=require'`, /command line/],
    ['psql with flags', `PGPASSWORD=${password} psql -U ${user} -h ${host} -p 25060 -d ${name} --set=sslmode=require`, /command line/],
    ['a prompt and psql', `$ psql "${url}"`, /command line/],
    ['pg_dump in front', `pg_dump ${url}`, /command line/],
    ['the name of a variable', `DATABASE_URL=${url}`, /name of a variable/],
    ['export and the name of a variable', `export DATABASE_URL="${url}"`, /name of a variable/],
    ['the name of a variable as in YAML', `DATABASE_URL: ${url}`, /name of a variable/],
    ['a placeholder of App Platform', '${db.DATABASE_URL}', /placeholder that was not filled in/],
    ['placeholders in its parts', `postgresql://\${USER}:\${PASSWORD}@${host}/${name}`, /placeholder/],
    ['a variable of a shell', '$DATABASE_URL', /placeholder/],
    ['a variable of a shell for the password', `postgresql://${user}:$PGPASSWORD@${host}/${name}`, /placeholder/],
    ['a variable of Windows', '%DATABASE_URL%', /placeholder/],
    ['a template with braces', `postgresql://{{user}}:{{password}}@${host}/${name}`, /placeholder/],
    ['a word in angle brackets', `postgresql://${user}:<password>@${host}/${name}`, /placeholder/],
    ['the link of the console', `postgresql://${user}:show-password@${host}/${name}`, /placeholder/],
    ['a word in square brackets', `postgresql://${user}:[YOUR-PASSWORD]@${host}/${name}`, /placeholder/],
    ['the words of .env.example', 'postgresql://doadmin:PASSWORD@HOST.db.ondigitalocean.com:25060/defaultdb?sslmode=require', /placeholder/],
    ['asterisks for the password', `postgresql://${user}:********@${host}/${name}`, /asterisks for its password/],
    ['JDBC', `jdbc:postgresql://${host}/${name}?user=${user}&password=${password}`, /JDBC: remove jdbc:/],
    ['the driver of SQLAlchemy', url.replace('postgresql', 'postgresql+psycopg2'), /name of a driver/],
    ['MySQL', url.replace('postgresql', 'mysql'), /another kind of database/],
    ['MongoDB', url.replace('postgresql', 'mongodb+srv'), /another kind of database/],
    ['Redis', url.replace('postgresql', 'rediss'), /write it into REDIS_URL/],
    ['an unknown scheme', url.replace('postgresql', user), /does not begin with postgres:\/\/ or postgresql:\/\//],
    ['no scheme', `${login}@${host}:5432/${name}`, /no scheme: write postgresql:\/\//],
    ['slashes in place of a scheme', `//${login}@${host}/${name}`, /no scheme/],
    ['a host alone', `${host}/${name}`, /no scheme/],
    ['no slashes after the scheme', `postgresql:${login}@${host}/${name}`, /no \/\/ after its scheme/],
    ['one slash after the scheme', `postgresql:/${login}@${host}/${name}`, /no \/\/ after its scheme/],
    ['percent-encoding as a whole', encodeURIComponent(url), /percent-encoded as a whole/],
    ['a blank in the password', `postgresql://${user}:${password} x@${host}/${name}`, /a blank, a line end/],
    ['a line end inside', url.replace('@', '\n@'), /a blank, a line end/],
    ['a tab inside', url.replace('@', '\t@'), /a blank, a line end/],
    ['a blank that cannot break', url.replace('@', '\u00A0@'), /a blank, a line end/],
    ['a blank without width', `${url}\u200B`, /invisible character/],
    ['@ in the password', `postgresql://${user}:${password}@x@${host}/${name}`, /has @ unescaped in its user or password: write %40/],
    ['# in the password', `postgresql://${user}:${password}#x@${host}/${name}`, /has # unescaped .* write %23/],
    ['/ in the password', `postgresql://${user}:${password}/x@${host}/${name}`, /has \/ unescaped .* write %2F/],
    ['/ after digits in the password', `postgresql://${user}:12/${password}@${host}/${name}`, /has \/ unescaped/],
    ['? in the password', `postgresql://${user}:1?${password}&x@${host}/${name}`, /has \? unescaped .* write %3F/],
    ['several of these in the password', `postgresql://${user}:${password}?a#b/c@d@${host}/${name}`, /has \?, #, \/ and @ unescaped/],
    ['% in the password', `postgresql://${user}:${password}%zz@${host}/${name}`, /percent sign in its password/],
    ['a line end in the password, encoded', `postgresql://${user}:${password}%0A@${host}/${name}`, /line end .* in its password/],
    ['# after the host', `${url}#x`, /unescaped # after its host/],
    ['no database name', `postgresql://${login}@${host}:25060`, /no database name: write/],
    ['a slash and no database name', `postgresql://${login}@${host}:25060/?sslmode=require`, /no database name/],
    ['a slash after the database name', `${url}/?sslmode=require`, /a \/ in its database name/],
    ['no password', `postgresql://${user}@${host}/${name}`, /no password/],
    ['no user and no password', `postgresql://${host}/${name}`, /no user, no password/],
    ['an empty user', `postgresql://:${password}@${host}/${name}`, /no user/],
    ['a host of no characters', `postgresql://${login}@/${name}`, /no host.*socket/],
    ['the path of a socket', `postgresql://${login}@/var/run/postgresql/${name}`, /no host.*socket/],
    ['a socket among its parameters', `postgresql://${login}@${host}/${name}?host=/var/run/postgresql`, /parameter host.*socket/],
    ['a socket of node-postgres', `socket:/var/run/postgresql?db=${name}`, /a socket as node-postgres writes it/],
    ['TLS through a socket', `postgresql://${login}@%2Ftmp/${name}?sslmode=require`, /asks for TLS through a socket/],
    ['a port of letters', `postgresql://${login}@${host}:abc/${name}`, /no number from 1 to 65535/],
    ['port 0', `postgresql://${login}@${host}:0/${name}`, /no number from 1 to 65535/],
    ['a port that is too high', `postgresql://${login}@${host}:65536/${name}`, /no number from 1 to 65535/],
    ['two ports', `postgresql://${login}@${host}:25060:5432/${name}`, /no number from 1 to 65535/],
    ['a colon and no port', `postgresql://${login}@${host}:/${name}`, /a colon and no port/],
    ['an IPv6 address without brackets', `postgresql://${login}@2001:db8::1/${name}`, /IPv6 address without brackets/],
    ['a host that cannot be one', `postgresql://${login}@${host}|x/${name}`, /neither a name nor an address/],
    ['brackets around no address', `postgresql://${login}@[${host}1:x]/${name}`, /neither a name nor an address/],
    ['key=value of libpq', `host=${host} port=5432 dbname=${name} user=${user} password=${password}`, /list of key=value.*DB_HOST/],
    ['key = value as DigitalOcean shows it', `username = ${user}\npassword = ${password}\nhost = ${host}`, /list of key=value/],
    ['key=value of .NET', `Host=${host};Username=${user};Password=${password};Database=${name}`, /list of key=value/],
    ['sslmode=no-verify', `${url}?sslmode=no-verify`, /sslmode no-verify, which only node-postgres knows: write require/],
    ['an unknown sslmode', `${url}?sslmode=${password}`, /an sslmode that is none of disable, allow, prefer, require/],
    ['an empty sslmode', `${url}?sslmode=`, /an sslmode that is none of/],
    ['two sslmodes', `${url}?sslmode=require&sslmode=disable`, /sslmode more than once/],
    ['sslmode in capitals', `${url}?SSLMODE=require`, /in lower case/],
    ['ssl=true', `${url}?ssl=true`, /parameter ssl, .*write sslmode=require/],
    ['a certificate by its path', `${url}?sslrootcert=/${password}.crt`, /parameter sslrootcert, .*DB_CA_CERT/],
    ['pgbouncer=true', `${url}?pgbouncer=true`, /parameter pgbouncer, .*DB_POOLER=transaction/],
    ['a limit of Prisma', `${url}?connection_limit=5`, /parameter connection_limit, .*DB_POOL_MAX/],
    ['channel_binding of Neon', `${url}?channel_binding=require`, /parameter channel_binding, .*remove it/],
    ['a parameter that nobody knows', `${url}?some_thing=${password}`, /parameter some_thing, which is not read: remove it/],
    ['a parameter with a strange name', `${url}?${password}`, /has a parameter that is not read/],
    ['a parameter where # has cut the URL', `postgresql://${user}:a?abc=${password}`, /has a parameter that is not read/],
    ['ampersands escaped as in HTML', `${url}?sslmode=require&amp;ssl=true`, /has a parameter that is not read/],
  ])('is refused for what it is: %s', (_what, text, reason) => {
    const reasons = reasonsFor(text)
    expect(reasons.join('\n')).toMatch(reason)
    for (const one of reasons) expect(one).toMatch(/^DB_CONNECTION_URL (?:has|is|begins|does|asks) /)
    expect(Object.values(marks).filter(mark => reasons.join().includes(mark))).toEqual([])
  })

  it('is told everything that is wrong at once', () => {
    expect(reasonsFor(`postgresql://${user}@${host}:abc/?ssl=true&sslmode=always#x`)).toEqual([
      expect.stringContaining('has a port that is no number'),
      expect.stringContaining('has an unescaped # after its host'),
      expect.stringContaining('has the parameter ssl'),
      expect.stringContaining('has an sslmode that is none of'),
      expect.stringContaining('has no password, no database name'),
    ])
  })

  it('is read for migrations in the same way', () => {
    expect(migrationSettings.parse({ DB_MIGRATION_URL: `"${url}"` }).issues).toMatchObject([{ variable: 'DB_MIGRATION_URL' }])
  })

  it.each([
    ['disable', 'off', 'off'],
    ['allow', 'unverified', 'off'],
    ['prefer', 'unverified', 'off'],
    ['require', 'unverified', 'unverified'],
    ['verify-ca', 'verified', 'verified'],
    ['verify-full', 'verified', 'verified'],
    [undefined, 'unverified', 'off'],
  ])('gives sslmode %s one meaning: %s, on this machine %s', (mode, elsewhere, here) => {
    const query = mode === undefined ? '' : `?sslmode=${mode}`
    expect(read(url + query)?.tls.mode).toBe(elsewhere)
    expect(read(`postgres://${login}@127.0.0.1/${name}${query}`)?.tls.mode).toBe(here)
    expect(databaseSettings.parse({ DB_CONNECTION_URL: url, ...(mode && { DB_SSLMODE: mode }) }).value?.tls.mode).toBe(elsewhere)
  })

  it('keeps what was encoded, whatever it is', () => {
    const text = () => fc.string({ minLength: 1 })
    // Asterisks alone are a hidden password, and a quotation mark at the end is around the URL.
    const encode = (part: string) => encodeURIComponent(part).replaceAll('*', '%2A').replaceAll("'", '%27')
    fc.assert(
      fc.property(text(), text(), text(), fc.constantFrom(undefined, ...sslModes), (anyUser, anyPassword, anyName, sslmode) => {
        const [u, p, n] = [anyUser, anyPassword, anyName].map(encode)
        const given = `postgres://${u}:${p}@h.example.com:1234/${n}${sslmode === undefined ? '' : `?sslmode=${sslmode}`}`
        // A name alone may not look like a placeholder.
        fc.pre(!/PASSWORD|your[-_]/i.test(given))
        expect(read(given)).toMatchObject({ host: 'h.example.com', port: 1234, user: anyUser, password: anyPassword, name: anyName })
      }),
    )
  })

  it('is read as pg reads it, if it is taken', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('@', ':', '/', '?', '#', '%40', '%', '[::1]', 'a', 'b', '1', ' ', ',', '%2F', 'sslmode=require'),
    )
    let taken = 0
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.array(piece, { maxLength: 8 }), (one, other) => {
        const value = read(`postgres://u:${one.join('')}@h${other.join('')}/d`)
        if (value === undefined) return
        taken += 1
        const client = new pg.Client(`postgres://u:${one.join('')}@h${other.join('')}/d`)
        expect([client.host, client.port, client.user, client.password, client.database]).toEqual([
          value.host,
          value.port,
          value.user,
          value.password,
          value.name,
        ])
      }),
      { numRuns: 2_000 },
    )
    expect(taken).toBeGreaterThan(20)
  })

  it('is refused without its password, whatever that is', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 12 }), secret => {
        const reasons = reasonsFor(`postgres://a:${secret}@c/d?x=${secret}`).join()
        const parts = secret.split(/[@/?#&=]/).filter(part => part.length >= 8)
        return [secret, ...parts].every(part => !reasons.includes(part))
      }),
    )
  })
})

describe('the parts of an address', () => {
  const parts = { DB_HOST: 'h.example.com', DB_NAME: name, DB_USER: user, DB_PASSWORD: password }
  const reasons = (changes: Record<string, string>) =>
    (databaseSettings.parse({ ...parts, ...changes }).issues ?? []).map(one => `${one.variable} ${one.reason}`)

  it.each([
    ['h.example.com', 'h.example.com'],
    [' h.example.com\n', 'h.example.com'],
    ['2001:db8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['/var/run/postgresql', '/var/run/postgresql'],
  ])('take %j for a host', (given, expected) => {
    expect(databaseSettings.parse({ ...parts, DB_HOST: given }).value?.host).toBe(expected)
  })

  it.each<readonly [changes: Record<string, string>, reason: RegExp]>([
    [{ DB_HOST: `${host}1,${host}2` }, /^DB_HOST has several hosts/],
    [{ DB_HOST: `${host}:25060` }, /^DB_HOST has a port/],
    [{ DB_HOST: '[::1]:5432' }, /^DB_HOST has a port/],
    [{ DB_HOST: url }, /^DB_HOST is a URL/],
    [{ DB_HOST: `"${host}"` }, /^DB_HOST has quotation marks/],
    [{ DB_HOST: `${host} x` }, /^DB_HOST has a host that is neither a name nor an address/],
    [{ DB_HOST: `${user}@${host}` }, /^DB_HOST has a host that is neither/],
    [{ DB_HOST: '${db.HOSTNAME}' }, /^DB_HOST has a placeholder/],
    [{ DB_NAME: '${db.DATABASE}' }, /^DB_NAME has a placeholder/],
    [{ DB_NAME: `"${name}"` }, /^DB_NAME has a blank or a quotation mark around it/],
    [{ DB_USER: ` ${user}` }, /^DB_USER has a blank or a quotation mark around it/],
    [{ DB_USER: '<user>' }, /^DB_USER has a placeholder/],
    [{ DB_PASSWORD: '${db.PASSWORD}' }, /^DB_PASSWORD has a placeholder/],
    [{ DB_PASSWORD: `${password}\n` }, /^DB_PASSWORD has a line end/],
    [{ DB_SSLMODE: 'no-verify' }, /^DB_SSLMODE is no-verify, which only node-postgres knows: write require/],
    [{ DB_SSLMODE: 'true' }, /^DB_SSLMODE is none of disable, allow, prefer, require, verify-ca, verify-full/],
    [{ DB_HOST: '/tmp', DB_SSLMODE: 'require' }, /^DB_SSLMODE asks for TLS through a socket/],
  ])('are refused by name: %j', (changes, reason) => {
    expect(reasons(changes)).toEqual([expect.stringMatching(reason)])
    expect(Object.values(marks).filter(mark => reasons(changes).join().includes(mark))).toEqual([])
  })

  it('take any password', () => {
    for (const any of ['"quoted"', ' blank ', 'a@b/c#d?e%f', '${', '<>', '$PATH', 'PASSWORD']) {
      expect(databaseSettings.parse({ ...parts, DB_PASSWORD: any }).value?.password).toBe(any)
    }
  })

  it('are refused together', () => {
    expect(reasons({ DB_HOST: 'a,b', DB_NAME: ' x', DB_USER: '<user>', DB_PASSWORD: '${x}', DB_PORT: 'y' }).map(one => one.split(' ')[0])).toEqual([
      'DB_PORT',
      'DB_HOST',
      'DB_NAME',
      'DB_USER',
      'DB_PASSWORD',
    ])
  })
})
