import { DataTypes } from 'sequelize'
import { describe, expect, it } from 'vitest'
import { ResilientSequelize } from '../../lib/resilient-sequelize/src/index.ts'

const SECRET = 'hunter2'
const URL = `postgres://user:${SECRET}@localhost/app`
const Constructor = ResilientSequelize as unknown as new (...given: unknown[]) => unknown

/** What construction throws. */
function thrownBy(...given: unknown[]): { code?: unknown; message?: unknown } {
  try {
    new Constructor(...given)
  } catch (error) {
    return error as { code?: unknown; message?: unknown }
  }
  return { message: 'nothing was thrown' }
}

describe('construction refuses', () => {
  it.each<[what: string, named: RegExp, given: unknown[]]>([
    ['undefined in place of a URL', /first argument/, [undefined]],
    ['undefined in place of a URL, with options', /first argument/, [undefined, { logging: false }]],
    ['null in place of a URL', /first argument/, [null]],
    ['a number in place of a URL', /first argument/, [5432]],
    ['an empty URL', /first argument/, ['']],
    ['a URL without a scheme', /URL/, [`user:${SECRET}@localhost/app`]],
    ['a URL of another dialect', /URL/, [`mysql://user:${SECRET}@localhost/app`]],
    ['a URL of the web', /URL/, [`https://user:${SECRET}@localhost/app`]],
    ['a URL that cannot be parsed', /URL/, [`postgres://user:${SECRET}@local host:port/app`]],
    ['a URL with a port that is none', /URL/, [`postgres://user:${SECRET}@localhost:99999/app`]],
    ['a port that is none', /`port`/, [{ host: 'localhost', port: SECRET }]],
    ['a port that is a fraction', /`port`/, [URL, { port: 54.32 }]],
    ['null behind a URL', /options/, [URL, null]],
    ['options in the place of the username', /options/, ['app', { password: SECRET }, SECRET]],
    ['a string in place of the options', /options/, ['app', 'user', SECRET, SECRET]],
    ['a string behind a URL', /options/, [URL, SECRET]],
    ['replication', /`replication`/, [URL, { replication: { read: [{ password: SECRET }], write: {} } }]],
    ['native bindings', /`native`/, [URL, { native: true }]],
    ['no pool', /`pool`|`pool: false`/, [URL, { pool: false }]],
    ['a number in place of the pool', /`pool`/, [URL, { pool: 5 }]],
    ['a text in place of the largest pool', /`pool\.max`/, [URL, { pool: { max: SECRET } }]],
    ['a pool without connections', /`pool\.max`/, [URL, { pool: { max: 0 } }]],
    ['a pool that keeps more than it may have', /`pool\.min`/, [URL, { pool: { max: 1, min: 2 } }]],
    ['a negative wait for a connection', /`pool\.acquire`/, [URL, { pool: { acquire: -1 } }]],
    ['a path to the dialect module', /`dialectModulePath`/, [URL, { dialectModulePath: `/${SECRET}` }]],
    ['a dialect module that is not pg', /`dialectModule`/, [URL, { dialectModule: { [SECRET]: true } }]],
    ['another dialect', /`dialect`/, [URL, { dialect: 'mysql' }]],
    ['an unknown dialect', /`dialect`/, [URL, { dialect: SECRET }]],
    ['an unknown resilience key', /`resilience\.profil`/, [URL, { resilience: { profil: SECRET } }]],
    ['an unknown profile', /`resilience\.profile`/, [URL, { resilience: { profile: SECRET } }]],
    ['the name of an object member as profile', /`resilience\.profile`/, [URL, { resilience: { profile: 'toString' } }]],
    ['a text in place of the resilience', /`resilience`/, [URL, { resilience: SECRET }]],
    ['null in place of the resilience', /`resilience`/, [URL, { resilience: null }]],
    ['a text in place of a time', /`resilience\.slowOperationMs`/, [URL, { resilience: { slowOperationMs: SECRET } }]],
    ['a time that is no number', /`resilience\.idleSessionMs`/, [URL, { resilience: { idleSessionMs: Number.NaN } }]],
    ['a negative time', /`resilience\.breakerCooldownMs`/, [URL, { resilience: { breakerCooldownMs: -1 } }]],
    ['a share above one', /`resilience\.crowdedAt`/, [URL, { resilience: { crowdedAt: 80 } }]],
    ['a text in place of a switch', /`resilience\.pooled`/, [URL, { resilience: { pooled: SECRET } }]],
    ['a text in place of the logger', /`resilience\.logger`/, [URL, { resilience: { logger: SECRET } }]],
  ])('%s', (_what, named, given) => {
    const { code, message } = thrownBy(...given)
    expect({ code, message }).toEqual({ code: 'invalid-options', message: expect.stringMatching(named) as unknown })
    expect(message).not.toContain(SECRET)
  })
})

describe('construction accepts', () => {
  it.each<[what: string, given: unknown[]]>([
    ['a URL', [URL]],
    ['a URL and undefined', [URL, undefined]],
    ['a URL with the longer scheme', [URL.replace('postgres:', 'postgresql:')]],
    ['options alone', [{ host: 'localhost', database: 'app', username: 'user', password: SECRET }]],
    ['four arguments', ['app', 'user', SECRET, { host: 'localhost' }]],
    ['database, username and password', ['app', 'user', SECRET]],
    ['nothing', []],
  ])('%s and connects to nothing', (_what, given) => {
    const sequelize = new Constructor(...given) as InstanceType<typeof ResilientSequelize>
    expect(sequelize.define('user', { name: DataTypes.STRING }).tableName).toBe('users')
    expect(sequelize.getConnectionStatus().pool.size).toBe(0)
  })
})
