import type { Options } from 'sequelize'
import type { RetryBudget } from '../../invocation/src/retry-budget.ts'
import { CodedError } from '../../invocation/src/errors.ts'
import type { EarlyConnection } from './pool/early-connection.ts'
import type { PoolManager } from './pool/manager.ts'
import { profiles, type PoolSettings, type Profile } from './pool/profile.ts'
import type { Counter, Logger } from './telemetry.ts'
import type { GuardedClient } from './wire/guarded-client.ts'

/** What ResilientSequelize takes beside Sequelize's own options. All times in ms. */
export interface ResilienceOptions {
  /**
   * `function`: one connection in a container that may be paused. `server`: many connections in a long-lived process,
   * checked in the background. Without a profile the pool has Sequelize's own defaults and no background.
   */
  profile?: 'function' | 'server'
  /** Whether the database is reached through a pooler in transaction mode. */
  pooled?: boolean
  /** After this long without a statement the server ends the session; 0 leaves it open. */
  idleSessionMs?: number
  /** After this long without a statement inside of a transaction the server ends the session; 0 leaves it open. */
  transactionIdleMs?: number
  /** From this share of the server's sessions on, from 0 to 1, an idle connection is closed before an invocation ends. */
  crowdedAt?: number
  /** How long the circuit breaker stays open. */
  breakerCooldownMs?: number
  /** Operations slower than this are logged. */
  slowOperationMs?: number
  /** Whether commits wait for the disk although the role or the database has turned `synchronous_commit` off. */
  durable?: boolean
  logger?: Logger
  counters?: Counter
  /** Whether an error that ended a unit of work is an answer given on purpose; those are counted as `refused`. */
  isExpected?: (error: unknown) => boolean
  /** A connection from `resilient-sequelize/early`. */
  early?: EarlyConnection
  /** Sends what is to ride behind a COMMIT; must not throw. */
  behindCommit?: (client: GuardedClient) => void
  budget?: RetryBudget
  now?: () => number
  random?: () => number
  /** The manager for which this instance builds pools, where that was made before Sequelize was loaded. */
  manager?: PoolManager
}

export interface ResilientOptions extends Options {
  resilience?: ResilienceOptions
}

/** The arguments of a constructor, taken apart; `put` puts them together again with other options. */
export interface ConstructorArguments {
  readonly options: ResilientOptions
  readonly put: (options: Options) => unknown[]
}

const KNOWN: Readonly<Record<keyof ResilienceOptions, 'string' | 'boolean' | 'number' | 'object' | 'function'>> = {
  profile: 'string',
  pooled: 'boolean',
  idleSessionMs: 'number',
  transactionIdleMs: 'number',
  crowdedAt: 'number',
  breakerCooldownMs: 'number',
  slowOperationMs: 'number',
  durable: 'boolean',
  logger: 'object',
  counters: 'object',
  isExpected: 'function',
  early: 'object',
  behindCommit: 'function',
  budget: 'object',
  now: 'function',
  random: 'function',
  manager: 'object',
}

// The smallest value of each option of the pool.
const LEAST = { max: 1, min: 0, acquire: 0, idle: 0, evict: 0, maxUses: 0 }
const COUNTS = ['max', 'min']
const LARGEST_PORT = 65_535

// Sequelize's own defaults.
const STOCK_POOL: PoolSettings = { max: 5, min: 0, acquireMs: 60_000, idleMs: 10_000, evictMs: 1_000 }

/**
 * Reads what a constructor was given, in any of Sequelize's forms.
 * @throws CodedError `invalid-options`, naming the option and the cure, never the value.
 */
export function readArguments(given: readonly unknown[]): ConstructorArguments {
  const [first, second] = given
  if (given.length > 0 && first === undefined)
    throw refused('the first argument is undefined: is the environment variable with the database URL set?')
  if (given.length === 1 && isObject(first)) return { options: first, put: options => [options] }
  if (given.length === 1 || (given.length === 2 && (isObject(second) || second === undefined))) {
    if (typeof first !== 'string') throw refused('the first argument is neither a URL nor an object with options')
    checkUrl(first)
    return { options: second ?? {}, put: options => [first, options] }
  }
  if (typeof first === 'string' && /^[a-z][a-z0-9+.-]*:\/\//i.test(first)) throw refused('behind the URL there has to be an object with options')
  const index = given.findIndex((argument, at) => at > 0 && isObject(argument))
  if (index > 0 && index < 3) throw refused('the options have to be the fourth argument, behind database, username and password')
  const options = given[3] ?? {}
  if (!isObject(options)) throw refused('the options have to be an object')
  return { options, put: changed => [given[0], given[1], given[2], changed] }
}

/**
 * Refuses options that cannot be kept.
 * @throws CodedError `invalid-options`, naming the option and the cure, never the value.
 */
export function checkOptions(options: ResilientOptions): void {
  const { dialect, replication, native, pool, dialectModulePath, resilience = {} } = options as Omit<ResilientOptions, 'pool'> & { pool?: unknown }
  if (dialect !== undefined && (dialect as string) !== 'postgres' && (dialect as string) !== 'postgresql')
    throw refused('`dialect` has to be postgres')
  if (replication) throw refused('`replication` is not supported: make one instance for each server')
  if (native) throw refused('`native` is not supported: leave it out, and pg is used')
  if (pool === false) throw refused('`pool: false` is not supported: set `pool: { max: 1 }`')
  if (dialectModulePath !== undefined && dialectModulePath !== null)
    throw refused('`dialectModulePath` is not supported: require the module and give it as `dialectModule`')
  checkPool(pool)
  if (!isObject(resilience)) throw refused('`resilience` has to be an object')
  for (const [name, value] of Object.entries(resilience)) {
    const type = (KNOWN as Record<string, string>)[name]
    if (type === undefined) throw refused(`\`resilience.${name}\` is unknown; known are ${Object.keys(KNOWN).join(', ')}`)
    if (value !== undefined && (typeof value !== type || value === null)) throw refused(`\`resilience.${name}\` has to be a ${type}`)
    if (type === 'number' && value !== undefined && !((value as number) >= 0)) throw refused(`\`resilience.${name}\` has to be 0 or more`)
  }
  const { profile, crowdedAt } = resilience
  if (profile !== undefined && !Object.hasOwn(profiles, profile))
    throw refused(`\`resilience.profile\` has to be one of ${Object.keys(profiles).join(', ')}`)
  if (crowdedAt !== undefined && crowdedAt > 1) throw refused('`resilience.crowdedAt` is a share from 0 to 1')
  const { max, min } = profileOf(options).pool
  if (min > max) throw refused('`pool.min` has to be at most `pool.max`')
}

/** The pool and what else depends on where the code runs: the profile's, with what was given on top. */
export function profileOf({ pool, resilience = {} }: ResilientOptions): Profile {
  const named = resilience.profile === undefined ? undefined : profiles[resilience.profile]
  const base = named?.pool ?? STOCK_POOL
  const max = pool?.max ?? base.max
  return {
    name: resilience.profile ?? 'none',
    pool: {
      max,
      min: pool?.min ?? Math.min(base.min, max),
      acquireMs: pool?.acquire ?? base.acquireMs,
      idleMs: pool?.idle ?? base.idleMs,
      evictMs: pool?.evict ?? base.evictMs,
    },
    idleSessionMs: resilience.idleSessionMs ?? named?.idleSessionMs ?? 0,
    crowdedAt: (resilience.crowdedAt ?? named?.crowdedAt) || undefined,
    breakerCooldownMs: resilience.breakerCooldownMs ?? named?.breakerCooldownMs ?? profiles.function.breakerCooldownMs,
    background: named?.background,
  }
}

function checkPool(pool: unknown): void {
  if (pool === undefined || pool === null) return
  if (!isObject(pool)) throw refused('`pool` has to be an object')
  for (const [name, least] of Object.entries(LEAST)) {
    const value = (pool as Record<string, unknown>)[name]
    if (value === undefined) continue
    if (!(typeof value === 'number' && value >= least)) throw refused(`\`pool.${name}\` has to be a number, ${least} or more`)
    if (COUNTS.includes(name) && !Number.isInteger(value)) throw refused(`\`pool.${name}\` has to be an integer`)
  }
}

function checkUrl(text: string): void {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) throw refused('the first argument is no URL: it has to begin with postgres://')
  if (scheme !== 'postgres' && scheme !== 'postgresql')
    throw refused('the URL has to begin with postgres:// or postgresql://: no other dialect is supported')
}

/** What is told in place of an error that Sequelize threw at construction: its own may hold the URL. */
export function refuseConstruction(error: unknown): unknown {
  return (error as { code?: unknown } | undefined)?.code === 'ERR_INVALID_URL' ? refused('the URL cannot be parsed') : error
}

/** @throws CodedError `invalid-options` when the port, of the URL or of the options, cannot be one. */
export function checkPort(port: unknown): void {
  if (port === undefined || port === null || port === '') return
  if (!Number.isInteger(Number(port)) || Number(port) < 1 || Number(port) > LARGEST_PORT)
    throw refused(`\`port\`, or the port in the URL, has to be from 1 to ${LARGEST_PORT}`)
}

function refused(message: string): CodedError {
  return new CodedError(`ResilientSequelize: ${message}.`, { code: 'invalid-options' })
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
