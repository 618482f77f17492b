import { setTimeout } from 'node:timers/promises'

export const cases = {
  authenticates: async (Sequelize, sequelize) => [
    await sequelize.authenticate(),
    await sequelize.validate(),
    await sequelize.authenticate({ logging: false }),
  ],
  'tells the version of the database': async (Sequelize, sequelize) => [
    await sequelize.databaseVersion(),
    await sequelize.query('SELECT 1'),
    sequelize.options.databaseVersion,
  ],
  'takes the version of the database as an option': async (Sequelize, _, DataTypes, tools) => {
    const sequelize = tools.connect({ databaseVersion: '14.0.0' })
    return [await sequelize.query('SELECT 1'), sequelize.options.databaseVersion]
  },
  'closes without a connection': async (Sequelize, sequelize) => sequelize.close(),
  'closes after its work': async (Sequelize, sequelize) => {
    await sequelize.query('SELECT 1')
    return sequelize.close()
  },
  'closes after a transaction that failed': async (Sequelize, sequelize, DataTypes, tools) => {
    await tools.errorOf(sequelize.transaction(async transaction => sequelize.query('SELECT nothing', { transaction })))
    return sequelize.close()
  },
  'ends its sessions when it closes': {
    only: { route: 'direct', why: 'sessions belong to the pooler' },
    run: async (Sequelize, _, DataTypes, tools) => {
      const sequelize = tools.connect({ dialectOptions: { application_name: 'marked' }, pool: { max: 2, min: 2 } })
      const sessions = async () =>
        (await tools.plain("SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'marked'"))[0].n
      await sequelize.query('SELECT 1')
      const open = await sessions()
      await sequelize.close()
      while ((await sessions()) > 0) await setTimeout(5)
      return [open > 0, await sessions()]
    },
  },
  'waits for running work before it closes': async (Sequelize, sequelize, DataTypes, tools) => {
    await sequelize.query('CREATE TABLE things (n int)')
    const other = await tools.session()
    await other.query('BEGIN; LOCK TABLE things')
    const running = sequelize.query('SELECT count(*)::int AS n FROM things', { plain: true })
    await tools.lockAwaited()
    const closed = sequelize.close()
    await other.query('COMMIT')
    return [await running, await closed]
  },
  'keeps two instances apart': async (Sequelize, sequelize, DataTypes, tools) => {
    const other = tools.connect()
    const One = sequelize.define('thing', { name: DataTypes.STRING }, { timestamps: false })
    const Two = other.define('thing', { name: DataTypes.STRING }, { timestamps: false })
    await One.sync()
    await One.create({ name: 'one' })
    await Two.create({ name: 'two' })
    await sequelize.transaction(async transaction => {
      await One.create({ name: 'inside' }, { transaction })
      await Two.create({ name: 'beside' })
    })
    await sequelize.close()
    return [await Two.findAll({ order: ['id'] }), One === Two]
  },
  'serves models before it ever connected': async (Sequelize, sequelize, DataTypes) => {
    const Thing = sequelize.define('thing', { name: { type: DataTypes.STRING, defaultValue: 'x' } }, { timestamps: false })
    const built = Thing.build()
    return [
      built,
      built.toJSON(),
      await built.validate(),
      Thing.getTableName(),
      sequelize.getQueryInterface().queryGenerator.selectQuery('things', { where: { name: 'a' } }),
    ]
  },
  'works after an idle while': async (Sequelize, _, DataTypes, tools) => {
    const sequelize = tools.connect({ pool: { max: 2, idle: 20, evict: 10 } })
    const seen = []
    for (let time = 0; time < 3; time += 1) {
      seen.push(await sequelize.query('SELECT 1 AS one', { plain: true }))
      await setTimeout(60)
    }
    return seen
  },
  'uses each connection a limited number of times': async (Sequelize, _, DataTypes, tools) => {
    const sequelize = tools.connect({ pool: { max: 1, maxUses: 2 } })
    const seen = []
    for (let time = 0; time < 5; time += 1) seen.push(await sequelize.query('SELECT 1 AS one', { plain: true }))
    return seen
  },
  'queues calls for a small pool': async (Sequelize, _, DataTypes, tools) => {
    const sequelize = tools.connect({ pool: { max: 2 } })
    tools.ignoreLogOrder()
    return Promise.all(Array.from({ length: 30 }, (_, n) => sequelize.query('SELECT $1::int AS n', { bind: [n], plain: true })))
  },
  'gives up waiting for a full pool': async (Sequelize, _, DataTypes, tools) => {
    const sequelize = tools.connect({ logging: false, pool: { max: 1, acquire: 1_500 } })
    const held = await sequelize.transaction()
    const error = await tools.errorOf(sequelize.transaction())
    const other = await tools.errorOf(sequelize.query('SELECT 1'))
    await held.rollback()
    return [error, other, await sequelize.query('SELECT 1 AS one', { plain: true })].map(one =>
      one instanceof Error ? [one.name, one instanceof Sequelize.ConnectionAcquireTimeoutError, one instanceof Sequelize.ConnectionError] : one,
    )
  },
  'lends a connection of pg': async (Sequelize, sequelize) => {
    const manager = sequelize.connectionManager
    const connection = await manager.getConnection()
    const { rows } = await connection.query('SELECT $1::int AS n', [5])
    await manager.releaseConnection(connection)
    return [rows, await sequelize.query('SELECT 1 AS one', { plain: true })]
  },
  'listens on a connection of pg': {
    only: { route: 'direct', why: 'LISTEN needs a session of its own' },
    run: async (Sequelize, _, DataTypes, tools) => {
      const sequelize = tools.connect({ pool: { max: 2 } })
      const connection = await sequelize.connectionManager.getConnection()
      const heard = new Promise(resolve => connection.once('notification', ({ channel, payload }) => resolve([channel, payload])))
      await connection.query('LISTEN news')
      await sequelize.query("NOTIFY news, 'hello'")
      const seen = await heard
      await connection.query({ name: 'named', text: 'SELECT $1::int AS n', values: [1] })
      const { rows } = await connection.query({ name: 'named', text: 'SELECT $1::int AS n', values: [2] })
      await connection.query('UNLISTEN news')
      await sequelize.connectionManager.releaseConnection(connection)
      return [seen, rows]
    },
  },
  'sends queries of pg with their own options': async (Sequelize, sequelize) => {
    const connection = await sequelize.connectionManager.getConnection()
    const lists = await connection.query({ text: 'SELECT $1::int AS n', values: [2], rowMode: 'array' })
    const texts = await connection.query({ text: 'SELECT 3::int AS n', types: { getTypeParser: () => text => `text ${text}` } })
    await sequelize.connectionManager.releaseConnection(connection)
    return [lists.rows, texts.rows]
  },
  'shows the size of its pool': async (Sequelize, _, DataTypes, tools) => {
    const sequelize = tools.connect({ pool: { max: 3 } })
    const { pool } = sequelize.connectionManager
    const counts = () => [pool.size, pool.available, pool.using, pool.waiting]
    const seen = [counts()]
    const transaction = await sequelize.transaction()
    seen.push(counts())
    await transaction.rollback()
    seen.push(counts())
    return seen
  },
  'serves two applications in one process': async (Sequelize, sequelize, DataTypes, tools) => {
    const results = await Promise.all(
      [sequelize, tools.connect(), tools.connect()].map((one, n) =>
        one.transaction(transaction => one.query('SELECT $1::int AS n', { bind: [n], transaction, plain: true })),
      ),
    )
    tools.ignoreLogOrder()
    return results
  },
}
