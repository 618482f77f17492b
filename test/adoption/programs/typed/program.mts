// What an application in strict TypeScript writes: it has to compile as it stands, and to run.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import {
  ConnectionError,
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type ModelStatic,
} from 'sequelize'
import {
  CommitUnknownError,
  CodedError,
  ResilientSequelize,
  classifyError,
  makeResilient,
  type ConnectionStatus,
  type ExecuteOptions,
  type Logger,
  type ResilienceOptions,
  type ResilientOptions,
  type Work,
} from 'resilient-sequelize'
import { connectEarly, type EarlyConnection } from 'resilient-sequelize/early'
import 'reflect-metadata'
import { Column, DataType, Model as DecoratedModel, Sequelize as DecoratedSequelize, Table } from 'sequelize-typescript'

const url = process.env['DATABASE_URL'] ?? ''
const logger: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const resilience: ResilienceOptions = { profile: 'function', logger, slowOperationMs: 1_000 }
const options: ResilientOptions = { logging: false, pool: { max: 1 }, resilience }
const sequelize = new ResilientSequelize(url, options)
// @ts-expect-error: no such profile
const misspelt: ResilienceOptions = { profile: 'lambda' }
void misspelt

class User extends Model<InferAttributes<User>, InferCreationAttributes<User>> {
  declare id: CreationOptional<number>
  declare name: string
  declare note: string | null
}
User.init(
  {
    id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
    name: { type: DataTypes.STRING, allowNull: false },
    note: DataTypes.TEXT,
  },
  { sequelize, modelName: 'user' },
)

interface TagInstance extends Model<InferAttributes<TagInstance>, InferCreationAttributes<TagInstance>> {
  id: CreationOptional<number>
  label: string
}
const Tag = sequelize.define<TagInstance>('tag', {
  id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
  label: DataTypes.STRING,
})
const found: ModelStatic<Model> | undefined = sequelize.models['tag']
assert.equal(found, Tag)
assert.deepEqual(Object.keys(sequelize.models).sort(), ['tag', 'user'])
await sequelize.sync()

// A unit of work gives what its work returns.
const write: ExecuteOptions = { isolation: 'SERIALIZABLE' }
const name: string = await sequelize.execute(
  'user.create',
  async ({ transaction, query, afterCommit, signal }: Work) => {
    const user = await User.create({ name: 'Ada', note: null })
    assert.equal(signal.aborted, false)
    afterCommit(() => undefined)
    const rows = await query<{ n: number }>('SELECT count(*)::int AS n FROM users WHERE name = $name', { name: 'Ada' })
    assert.equal(rows[0]?.n, 1)
    await Tag.create({ label: user.name }, { transaction })
    return user.name
  },
  write,
)
assert.equal(name, 'Ada')

const count: number | string = await sequelize.safeExecute(() => User.count(), {
  operationName: 'user.count',
  fallbackValue: 'none',
  logWarning: false,
})
assert.equal(count, 1)
const fallback: number | null = await sequelize.safeExecute(async (): Promise<number> => Promise.reject(new Error('no')), {
  operationName: 'user.fail',
  fallbackValue: null,
  logWarning: false,
})
assert.equal(fallback, null)

const stood: User | null = await sequelize.transaction(async transaction => User.findOne({ where: { name: 'Ada' }, transaction }))
assert.equal(stood?.note, null)
const status: ConnectionStatus = sequelize.getConnectionStatus()
assert.equal(typeof status.pool.size, 'number')
const healthy: boolean = await sequelize.isConnectionHealthy(2_000)
assert.equal(healthy, true)
const error: CodedError = new CommitUnknownError()
assert.ok(error instanceof CodedError && error.code === 'commit-unknown' && classifyError(new ConnectionError(new Error('no'))).key !== '')

// Both loaders give one instance: a unit that was begun through one is seen by the models of the other.
const require = createRequire(import.meta.url)
const required = require('resilient-sequelize') as typeof import('resilient-sequelize')
assert.equal(required.ResilientSequelize, ResilientSequelize)
const models = require('./models.cjs') as typeof import('./models.cjs')
const { Note } = models
await models.sequelize.sync()
const back = new Error('back')
await assert.rejects(
  models.sequelize.execute('note.create', async () => {
    await Note.create({ text: 'gone' })
    assert.equal(await Note.count(), 1)
    throw back
  }),
  back,
)
assert.equal(await Note.count(), 0)
const { runWithDeadline } = required
const { openDeadline } = await import('resilient-sequelize')
const passed = openDeadline({ remainingMs: 0, reserveMs: 0 })
await assert.rejects(
  runWithDeadline(passed, () => User.count()),
  { code: 'deadline-exceeded' },
)
passed.clear()

// A class of another library on top.
@Table({ tableName: 'places', timestamps: false })
class Place extends DecoratedModel {
  @Column(DataType.STRING)
  declare city: string
}
const ResilientDecorated = makeResilient(DecoratedSequelize)
const decorated = new ResilientDecorated(url, { ...options, models: [Place] })
await decorated.sync()
await decorated.execute('place.create', async () => Place.create({ city: 'Linz' }))
assert.equal(await Place.count(), 1)
assert.deepEqual(decorated.model('Place'), Place)
decorated.addModels([])

const address = new URL(url)
const early: EarlyConnection = connectEarly({
  host: address.hostname,
  port: Number(address.port),
  user: address.username,
  password: decodeURIComponent(address.password),
  database: address.pathname.slice(1),
})
const second = new ResilientSequelize(url, { ...options, resilience: { early } })
await second.authenticate()

for (const one of [sequelize, decorated, second, models.sequelize]) await one.close()
console.log('all held')
