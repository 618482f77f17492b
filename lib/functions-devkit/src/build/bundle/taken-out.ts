import { join } from 'node:path'

// What bundles leave out, and why.

/** A package with a file of its own beside the bundles, read when it is first asked for. It begins with `entry`, if there is one. */
export interface Part {
  readonly name: string
  readonly entry?: string
}

/** A file of ours that takes the place of a package's. */
export interface StandIn {
  /** `package/file.js`. */
  readonly of: string
  readonly by: string
}

const ownFile = (name: string) => join(import.meta.dirname, '../../stand-ins', name)
const OTHER_DIALECTS = ['db2', 'mariadb', 'mssql', 'mysql', 'oracle', 'snowflake', 'sqlite']

/** pg and sequelize load these only on request, and no code requests them. */
export const ABSENT: readonly string[] = ['pg-native', 'pg-hstore']

export const PARTS: readonly Part[] = [
  // A request that is refused needs no database: sequelize and pg are read and compiled on its first use.
  // Sequelize takes long: it is evaluated piece by piece, so that the server's answers have their turns in between.
  { name: 'sequelize', entry: ownFile('sequelize.cjs') },
  { name: 'pg' },
  // Only the outage buffer needs Redis, and only where there is one.
  { name: '@redis/client' },
  // Few statements need these; see their stand-ins.
  { name: 'lodash' },
  { name: 'moment' },
  { name: 'semver' },
  { name: 'validator' },
  { name: 'wkx' },
]

export const STAND_INS: readonly StandIn[] = [
  // sequelize knows eight dialects, and loads the data types of all of them.
  ...OTHER_DIALECTS.flatMap(dialect => [
    { of: `sequelize/lib/dialects/${dialect}/index.js`, by: ownFile('no-dialect.cjs') },
    { of: `sequelize/lib/dialects/${dialect}/data-types.js`, by: ownFile('no-data-types.cjs') },
  ]),
  // moment-timezone brings the history of all time zones, 730 kB of it; dates are written in UTC.
  { of: 'moment-timezone/index.js', by: ownFile('moment-timezone.cjs') },
  // moment writes a date into a statement; a read has none.
  { of: 'moment/moment.js', by: ownFile('moment.cjs') },
  // lodash in one piece is built up whole when it is loaded; of its 300 functions sequelize uses sixty, one by one here.
  { of: 'lodash/lodash.js', by: ownFile('lodash.cjs') },
  // semver's index loads the arithmetic of ranges; sequelize compares two versions.
  { of: 'semver/index.js', by: ownFile('semver.cjs') },
  // A hundred validators, for models that ask for one.
  { of: 'sequelize/lib/utils/validator-extras.js', by: ownFile('validator-extras.cjs') },
  // debug looks at the terminal and its colours, to write nothing.
  { of: 'debug/src/index.js', by: ownFile('debug.cjs') },
  // pino can write through threads and to many streams; the log goes to standard output alone.
  { of: 'pino/lib/transport.js', by: ownFile('no-transport.cjs') },
  { of: 'pino/lib/multistream.js', by: ownFile('no-multistream.cjs') },
  // What writes a line, assert included, is loaded with the first line.
  { of: 'sonic-boom/index.js', by: ownFile('sonic-boom.cjs') },
  // wkx reads and writes geometry.
  { of: 'wkx/lib/wkx.js', by: ownFile('wkx.cjs') },
]

/** The package that brings another along. npm puts that one below it when the application has another version of its own. */
export const BROUGHT_BY: Readonly<Record<string, string>> = {
  '@redis/client': 'webhook-inbox',
  pino: 'functions-runtime',
  'sonic-boom': 'pino',
  debug: 'sequelize',
  lodash: 'sequelize',
  moment: 'sequelize',
  'moment-timezone': 'sequelize',
  semver: 'sequelize',
  validator: 'sequelize',
  wkx: 'sequelize',
}
