import { DataTypes, literal, type Model, type ModelStatic, type Sequelize } from 'sequelize'
import { type DatabaseService, type ExecuteOptions, type Work } from '../../../functions-runtime/src/database/service.ts'

/** What an operation of the matrix does. */
export const kinds = ['read', 'write', 'transaction', 'logged'] as const
export type Kind = (typeof kinds)[number]

/** The part of the service that operations go through; a test may put another in its place. */
export type Service = Pick<DatabaseService, 'execute' | 'safeExecute'>

/** One operation. It can be sent to another process. */
export interface Order {
  kind: Kind
  /** Stands in every row that it writes. */
  operation: string
  /** How long its middle statement takes, in ms; later attempts do not sleep. */
  sleepMs?: number
  /** Whether a write begins with a claim, so that the same order can be given twice; a read needs none. */
  claimed?: boolean
}

export interface Result {
  /** What a read found. */
  value?: string | undefined
  /** Whether the log line inside was written, or given up. */
  logged?: boolean
  /** The order was claimed before: nothing was done. */
  duplicate?: boolean
}

/** Sends one statement of an operation. */
export type Step = () => Promise<unknown>

export interface PerformOptions extends ExecuteOptions {
  /** Done in the work, after its own statements; attempts count from 1. */
  extra?: (work: Work, attempt: number) => Promise<void>
  /** Sends the work's own statements; by default one after the other, each when the one before is answered. */
  arrange?: (own: readonly Step[], work: Work, attempt: number) => Promise<void>
}

/** The statement at which faults strike: a read's and a write's only one, the second of three, the log line's. */
export const MIDDLE = /\/\* middle \*\//
/** What a read is to find. */
export const SEED = 'the row that was there before'

export const SCHEMA = `
  CREATE TABLE seeds (id int, value text);
  INSERT INTO seeds VALUES (1, 'another row'), (2, '${SEED}'), (3, 'a third');
  CREATE TABLE effects (operation text, part int);
  CREATE TABLE logs (operation text);
  CREATE TABLE claims (operation text PRIMARY KEY);
  CREATE TABLE contended (id int PRIMARY KEY, touched int);
  INSERT INTO contended VALUES (1, 0), (2, 0)`

const READ = '/* middle */ SELECT value FROM seeds, pg_sleep($sleep::float8) WHERE id = 2'
const LOG = '/* middle */ INSERT INTO logs (operation) SELECT $operation::text FROM pg_sleep($sleep::float8)'
const CLAIM = 'INSERT INTO claims VALUES ($operation) ON CONFLICT DO NOTHING RETURNING operation'
const insert = (part: number, tag = '') =>
  `${tag}INSERT INTO effects (operation, part) SELECT $operation::text, ${part} FROM pg_sleep($sleep::float8)`

/** The parts that an operation writes, each once. */
export function partsOf(kind: Kind): readonly number[] {
  if (kind === 'read') return []
  return kind === 'transaction' ? [1, 2, 3] : [1]
}

const defined = new WeakMap<Sequelize, ModelStatic<Model>>()

/** A model of an instance: defined once, and used for as long as that lives, whatever becomes of its pools. */
function effectOf(sequelize: Sequelize): ModelStatic<Model> {
  const known = defined.get(sequelize)
  if (known !== undefined) return known
  const attributes = { operation: { type: DataTypes.TEXT, primaryKey: true }, part: DataTypes.INTEGER }
  const model = sequelize.define('Effect', attributes, { timestamps: false, tableName: 'effects' })
  defined.set(sequelize, model)
  return model
}

// A single write goes through a model, where the service has a Sequelize; the others through statements.
async function writeEffect(
  { sequelize, query }: Partial<Pick<Work, 'sequelize'>> & Pick<Work, 'query'>,
  operation: string,
  sleep: number,
): Promise<void> {
  if (sequelize === undefined) return void (await query(insert(1, '/* middle */ '), { operation, sleep }))
  await effectOf(sequelize).create({ operation, part: literal(`(SELECT /* middle */ 1 FROM pg_sleep(${sleep}))`) })
}

/** Runs one operation through the service. None of the tables keeps an effect from being there twice. */
export function perform(service: Service, order: Order, { extra, arrange = inTurn, ...options }: PerformOptions = {}): Promise<Result> {
  const { kind, operation, sleepMs = 0, claimed = false } = order
  let attempts = 0
  return service.execute(
    `chaos.${kind}`,
    async work => {
      attempts += 1
      const attempt = attempts
      const sleep = attempt === 1 ? sleepMs / 1_000 : 0
      if (claimed && kind !== 'read' && (await work.query(CLAIM, { operation })).length === 0) return { duplicate: true }
      const result: Result = {}
      await arrange(stepsOf(service, { kind, operation, sleep }, work, result), work, attempt)
      await extra?.(work, attempt)
      return result
    },
    kind === 'read' ? { ...options, mode: 'read' } : options,
  )
}

/** The statements of an operation, in their order; what they find goes into the result. */
function stepsOf(service: Service, { kind, operation, sleep }: StepOptions, work: Work, result: Result): readonly Step[] {
  switch (kind) {
    case 'read':
      return [async () => (result.value = (await work.query<{ value: string }>(READ, { sleep }))[0]?.value)]
    case 'write':
      return [() => writeEffect(work, operation, sleep)]
    case 'transaction':
      return [
        () => work.query(insert(1), { operation, sleep: 0 }),
        () => work.query(insert(2, '/* middle */ '), { operation, sleep }),
        () => work.query(insert(3), { operation, sleep: 0 }),
      ]
    case 'logged': {
      const log = () => service.execute('chaos.log', ({ query }) => query(LOG, { operation, sleep })).then(() => true)
      return [
        () => work.query(insert(1), { operation, sleep: 0 }),
        async () => (result.logged = await service.safeExecute(log, { operationName: 'chaos.log', fallbackValue: false })),
      ]
    }
    default:
      return kind satisfies never
  }
}

interface StepOptions {
  readonly kind: Kind
  readonly operation: string
  /** In seconds, for the middle statement. */
  readonly sleep: number
}

async function inTurn(steps: readonly Step[]): Promise<void> {
  for (const step of steps) await step()
}
