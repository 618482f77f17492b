import { PG_TEXTS } from '../wire/pg-internals.ts'
import { SEQUELIZE_TEXTS } from '../wire/sequelize-internals.ts'

/**
 * What to do with the connection that met the error. `none`: there was none yet. `rebuild`: the pool itself is gone and
 * the next generation has to be built.
 */
export type ConnectionAnswer = 'keep' | 'drop' | 'rebuild' | 'none'

/**
 * Whether the work may be done again. `yes`: the server cannot have applied it. `transaction`: safe when all of the
 * transaction, or of the autocommit statement, is done again. `check`: if a COMMIT or an autocommit statement may have
 * been under way, what became of it has to be found out first. `no`: never.
 */
export type ReplayAnswer = 'yes' | 'transaction' | 'check' | 'no'

/** How an error is recognised. Of several conditions in one object all have to hold. */
export type ErrorMatch =
  /**
   * All five characters, or the first two for a class. With `routine` only what that function of the server reports, since
   * it translates its messages; with `text` only messages that it fits: those of a pooler, which speaks English.
   */
  | { readonly sqlstate: string; readonly routine?: string; readonly text?: RegExp }
  /** A code of the operating system, of the resolver or of TLS; with `during` only in these system calls. */
  | { readonly errno: string | RegExp; readonly during?: readonly string[] }
  /** A message that comes without any code. */
  | { readonly text: RegExp }
  /** The name of the class, where nothing else tells. */
  | { readonly className: string }

export interface ErrorAnswers {
  readonly transient: boolean
  readonly connection: ConnectionAnswer
  readonly replay: ReplayAnswer
  /** The database could not be used at all: counts for the circuit breaker. */
  readonly outage: boolean
  /** The server or the pooler is full: a queue, which never counts for the breaker. */
  readonly crowded: boolean
  /** After so many replays the error is no longer taken for transient. */
  readonly maxReplays?: number
  /** Transient only for callers that said so and have time left. */
  readonly onlyIfOptedIn?: boolean
  /** Transient in work that writes; in work that was to read it is a mistake of ours. */
  readonly inWritesOnly?: boolean
  /** A lack of means on the server, which passes slowly if at all: replays wait longer. */
  readonly slow?: boolean
}

export interface ErrorRow extends ErrorAnswers {
  readonly key: string
  readonly name: string
  readonly match: ErrorMatch
}

type GivenRow = Omit<ErrorRow, 'outage' | 'crowded'> & Partial<Pick<ErrorRow, 'outage' | 'crowded'>>

const row = (given: GivenRow): ErrorRow => ({ outage: false, crowded: false, ...given })
/** A row for one SQLSTATE, which is its key too. */
const state = (sqlstate: string, given: Omit<GivenRow, 'key' | 'match'>): ErrorRow => row({ key: sqlstate, match: { sqlstate }, ...given })
/** A row for a whole class of SQLSTATEs. */
const stateClass = (prefix: string, given: Omit<GivenRow, 'key' | 'match'>): ErrorRow =>
  row({ key: `${prefix}xxx`, match: { sqlstate: prefix }, ...given })
/** A row for what a pooler says; it says nearly everything as 08P01, so that only the text tells. */
const pooler = (variant: string, text: RegExp, given: Omit<GivenRow, 'key' | 'match'>): ErrorRow =>
  row({ key: `08P01:${variant}`, match: { sqlstate: '08P01', text }, ...given })
/** A row for one code of the operating system, of the resolver or of TLS. */
const errno = (code: string, given: Omit<GivenRow, 'key' | 'match'>): ErrorRow => row({ key: code, match: { errno: code }, ...given })
/** A row for a message without a code. */
const text = (key: string, pattern: RegExp, given: Omit<GivenRow, 'key' | 'match'>): ErrorRow =>
  row({ key: `text:${key}`, match: { text: pattern }, ...given })

const NEVER_CONNECTED = { transient: true, connection: 'none', replay: 'yes', outage: true } as const
export const LOST = { transient: true, connection: 'drop', replay: 'check', outage: true } as const
const ROLLED_BACK = { transient: true, connection: 'keep', replay: 'transaction' } as const
const OUR_MISTAKE = { transient: false, connection: 'keep', replay: 'no' } as const
// Nobody gets through until somebody changes the setup, so it is an outage as well: an open breaker spares the server
// log-ins that cannot succeed.
const REFUSED = { transient: false, connection: 'drop', replay: 'yes', outage: true } as const
const UNTRUSTED = { transient: false, connection: 'none', replay: 'no', outage: true } as const
/** Key of errors that a statement met because it was parsed before its table changed. */
export const STALE_STATEMENT = '0A000:cached-plan'
const FEW = 3
const ONCE = 1

/**
 * Every error that is known of PostgreSQL, of PgBouncer and of the way to them, with what it means. The first row that
 * fits decides: narrower ones stand before wider ones. What fits none is taken for permanent (see classify-error.ts).
 */
export const errorTable: readonly ErrorRow[] = [
  state('08000', { name: 'connection exception', ...LOST }),
  state('08003', { name: 'connection does not exist', ...LOST }),
  state('08001', { name: 'cannot establish connection', ...NEVER_CONNECTED }),
  // May be a refused log-in in disguise, which no number of tries mends.
  state('08004', { name: 'connection rejected', ...NEVER_CONNECTED, maxReplays: FEW }),
  state('08006', { name: 'connection failure', ...LOST }),
  state('08007', { name: 'transaction resolution unknown', ...LOST }),

  pooler('query-wait-timeout', /query_wait_timeout/, {
    name: 'pooler had no server connection in time',
    transient: true,
    connection: 'drop',
    replay: 'yes',
    crowded: true,
  }),
  pooler('no-more-connections', /no more connections allowed|client connections exceeded/, {
    name: 'pooler has too many clients',
    transient: true,
    connection: 'none',
    replay: 'yes',
    crowded: true,
  }),
  // It hands on what a full server tells it, under its own code, and may go on telling it for a while.
  pooler('server-full', /too many clients already|connection slots are reserved|too many connections for (role|database)/, {
    name: 'pooler was turned away by a full server',
    transient: true,
    connection: 'drop',
    replay: 'yes',
    crowded: true,
  }),
  pooler('client-login-timeout', /client_login_timeout/, { name: 'pooler could not log in to the server in time', ...NEVER_CONNECTED }),
  pooler('server-login-failing', /server login has been failing|server_login_retry|cannot connect to server/, {
    name: 'pooler cannot log in to the server',
    transient: true,
    connection: 'drop',
    replay: 'yes',
    outage: true,
  }),
  // It meets the end of a server connection so as well, while it hands that to a client and before it passes on what the
  // client sent.
  pooler('session-not-prepared', /^invalid server parameter/, {
    name: 'pooler could not bring a server connection to the settings of its client',
    transient: true,
    connection: 'drop',
    replay: 'yes',
    outage: true,
    maxReplays: FEW,
  }),
  pooler('shutting-down', /shutting down|shut down|server connections dropped/, { name: 'pooler shutdown', ...LOST }),
  pooler('pause-failed', /pause failed/, { name: 'pooler could not pause', ...LOST }),
  pooler(
    'server-lost',
    /server conn crashed|server connection closed|server closed the connection|database removed|server DNS lookup failed|connect failed|connect timeout/,
    { name: 'pooler lost its server connection', ...LOST },
  ),
  pooler('query-timeout', /^query[ _]timeout/, { name: 'pooler ended the statement', ...LOST, outage: false, onlyIfOptedIn: true }),
  pooler('idle-transaction-timeout', /^idle[ _]transaction[ _]timeout/, {
    name: 'pooler ended an idle transaction',
    transient: true,
    connection: 'drop',
    replay: 'transaction',
    maxReplays: ONCE,
  }),
  pooler('client-idle-timeout', /^client_idle_timeout/, { name: 'pooler ended an idle client', transient: true, connection: 'drop', replay: 'yes' }),
  pooler(
    'authentication',
    /authentication|no such user|no such database|database .* does not exist|login failed|login rejected|password|TLS (connection )?required|SSL required/i,
    { name: 'pooler refuses the log-in', ...REFUSED },
  ),
  pooler('startup-parameter', /unsupported startup parameter/, { name: 'pooler refuses a startup parameter', ...REFUSED }),
  state('08P01', { name: 'protocol violation', transient: false, connection: 'drop', replay: 'check' }),

  // A new session parses and plans anew.
  row({
    key: STALE_STATEMENT,
    name: 'a table changed since the statement was parsed',
    match: { sqlstate: '0A000', routine: 'RevalidateCachedQuery' },
    transient: true,
    connection: 'drop',
    replay: 'transaction',
    maxReplays: ONCE,
  }),
  row({
    key: '0A000:read-write-mode',
    name: 'server cannot write',
    // What reports that a transaction cannot be made to write; other settings that it checks are not set by statements.
    match: { sqlstate: '0A000', routine: 'call_bool_check_hook' },
    transient: true,
    connection: 'drop',
    replay: 'yes',
    inWritesOnly: true,
  }),
  // An old primary after a failover, a standby, or the guard that a provider sets on a full disk.
  state('25006', { name: 'read-only transaction', transient: true, connection: 'drop', replay: 'yes', inWritesOnly: true }),
  // Says only that something failed before; whether that was transient, that error tells.
  state('25P02', { name: 'failed transaction', transient: false, connection: 'keep', replay: 'transaction' }),
  state('25P03', { name: 'idle-in-transaction timeout', transient: true, connection: 'drop', replay: 'transaction', maxReplays: ONCE }),
  state('25P04', { name: 'transaction timeout', transient: true, connection: 'drop', replay: 'transaction', onlyIfOptedIn: true }),
  state('26000', { name: 'prepared statement missing', transient: true, connection: 'drop', replay: 'yes', maxReplays: ONCE }),
  state('28000', { name: 'log-in not allowed', ...REFUSED }),
  state('28P01', { name: 'wrong password', ...REFUSED }),
  state('3D000', { name: 'no such database', ...OUR_MISTAKE, outage: true }),
  stateClass('42', { name: 'syntax or access rule', ...OUR_MISTAKE }),
  stateClass('22', { name: 'data exception', ...OUR_MISTAKE }),
  state('23505', { name: 'unique violation', ...OUR_MISTAKE }),
  state('23503', { name: 'foreign key violation', ...OUR_MISTAKE }),
  state('23514', { name: 'check violation', ...OUR_MISTAKE }),
  state('23P01', { name: 'exclusion violation', ...OUR_MISTAKE }),
  stateClass('23', { name: 'constraint violation', ...OUR_MISTAKE }),

  state('40001', { name: 'serialization failure', ...ROLLED_BACK }),
  state('40P01', { name: 'deadlock', ...ROLLED_BACK }),
  state('40000', { name: 'transaction rollback', ...ROLLED_BACK }),
  state('40002', { name: 'rolled back by a constraint', ...ROLLED_BACK, transient: false }),
  state('40003', { name: 'statement completion unknown', ...LOST, outage: false }),
  state('CR000', { name: 'restart transaction', ...ROLLED_BACK }),
  state('53000', { name: 'insufficient resources', ...ROLLED_BACK, outage: true, slow: true }),
  state('53200', { name: 'out of memory', ...ROLLED_BACK, outage: true, slow: true }),
  state('53100', { name: 'disk full', ...ROLLED_BACK, transient: false }),
  state('53300', { name: 'too many connections', transient: true, connection: 'none', replay: 'yes', crowded: true }),
  state('53400', { name: 'configuration limit exceeded', ...ROLLED_BACK, slow: true }),
  state('55P03', { name: 'lock not available', ...ROLLED_BACK }),
  state('55006', { name: 'object in use', ...ROLLED_BACK }),
  state('55000', { name: 'object not in prerequisite state', ...ROLLED_BACK, transient: false }),
  state('57014', { name: 'query cancelled', ...ROLLED_BACK, onlyIfOptedIn: true }),
  state('57P01', { name: 'administrator shutdown', ...LOST }),
  state('57P02', { name: 'crash shutdown', ...LOST }),
  state('57P03', { name: 'cannot connect now', ...NEVER_CONNECTED }),
  state('57P04', { name: 'database dropped', transient: false, connection: 'drop', replay: 'no', outage: true }),
  state('57P05', { name: 'idle session timeout', transient: true, connection: 'drop', replay: 'yes' }),
  state('58000', { name: 'system error', ...LOST, outage: false, slow: true }),
  state('58030', { name: 'I/O error', ...LOST, outage: false, slow: true }),
  state('XX000', { name: 'internal error', transient: false, connection: 'drop', replay: 'no' }),
  state('XX001', { name: 'data corrupted', transient: false, connection: 'drop', replay: 'no' }),
  state('XX002', { name: 'index corrupted', transient: false, connection: 'drop', replay: 'no' }),

  errno('ECONNREFUSED', { name: 'connection refused', ...NEVER_CONNECTED }),
  errno('EAI_AGAIN', { name: 'resolver does not answer', ...NEVER_CONNECTED }),
  errno('ENOTFOUND', { name: 'host name unknown', ...NEVER_CONNECTED, maxReplays: FEW }),
  row({
    key: 'route-lost',
    name: 'route lost in flight',
    match: { errno: /^(EHOSTUNREACH|ENETUNREACH|ENETDOWN)$/, during: ['read', 'write'] },
    ...LOST,
  }),
  errno('EHOSTUNREACH', { name: 'host unreachable', ...NEVER_CONNECTED }),
  errno('ENETUNREACH', { name: 'network unreachable', ...NEVER_CONNECTED }),
  row({ key: 'ETIMEDOUT:connect', name: 'connecting timed out', match: { errno: 'ETIMEDOUT', during: ['connect'] }, ...NEVER_CONNECTED }),
  errno('ETIMEDOUT', { name: 'socket timed out', ...LOST }),
  errno('ECONNRESET', { name: 'connection reset', ...LOST }),
  errno('EPIPE', { name: 'broken pipe', ...LOST }),

  errno('DEPTH_ZERO_SELF_SIGNED_CERT', { name: 'self-signed certificate', ...UNTRUSTED }),
  errno('SELF_SIGNED_CERT_IN_CHAIN', { name: 'unknown root certificate', ...UNTRUSTED }),
  errno('UNABLE_TO_VERIFY_LEAF_SIGNATURE', { name: 'unknown issuer', ...UNTRUSTED }),
  row({
    key: 'UNABLE_TO_GET_ISSUER_CERT',
    name: 'issuer certificate missing',
    match: { errno: /^UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?$/ },
    ...UNTRUSTED,
  }),
  errno('ERR_TLS_CERT_ALTNAME_INVALID', { name: 'certificate of another host', ...UNTRUSTED }),
  row({ key: 'CERT_*', name: 'invalid certificate', match: { errno: /^CERT_/ }, ...UNTRUSTED }),
  text('tls-unsupported', PG_TEXTS.tlsUnsupported, { name: 'server without TLS', ...UNTRUSTED }),
  // Neither yes nor no: a server that had not even the means to start a session.
  text('tls-not-answered', PG_TEXTS.tlsNotAnswered, {
    name: 'request for TLS not answered',
    ...NEVER_CONNECTED,
    maxReplays: FEW,
  }),
  text('sasl', PG_TEXTS.sasl, { name: 'log-in handshake failed', ...UNTRUSTED }),

  text('connect-timeout', PG_TEXTS.connectTimeout, {
    name: 'connecting took too long',
    ...NEVER_CONNECTED,
  }),
  // sequelize's words when a connection ends before pg reported anything.
  text('connecting-ended', SEQUELIZE_TEXTS.connectingEnded, { name: 'connection ended while connecting', ...NEVER_CONNECTED }),
  text('connection-terminated', PG_TEXTS.terminated, { name: 'connection terminated', ...LOST }),
  text('ssl-eof', /SSL SYSCALL error: EOF detected/, { name: 'TLS connection cut', ...LOST }),
  // The server may still be at it, so its session has to be ended before the work is done again. A slow statement is no
  // outage, and a silent peer shows itself when the next connection is made.
  text('read-timeout', PG_TEXTS.readTimeout, { name: 'no answer in time', ...LOST, outage: false }),
  text('not-queryable', PG_TEXTS.notQueryable, {
    name: 'connection already lost',
    transient: true,
    connection: 'drop',
    replay: 'yes',
  }),
  text('unexpected-message', PG_TEXTS.unexpectedMessage, {
    name: 'answer out of turn',
    transient: false,
    connection: 'drop',
    replay: 'check',
  }),
  text('manager-closed', SEQUELIZE_TEXTS.managerClosed, {
    name: 'pool closed',
    transient: true,
    connection: 'rebuild',
    replay: 'yes',
  }),
  text('pool-draining', SEQUELIZE_TEXTS.poolDraining, { name: 'pool is closing', transient: true, connection: 'rebuild', replay: 'yes' }),
  row({
    key: 'acquire-timeout',
    name: 'no connection free in time',
    match: { className: SEQUELIZE_TEXTS.acquireTimeout },
    transient: true,
    connection: 'keep',
    replay: 'yes',
    crowded: true,
  }),
]
