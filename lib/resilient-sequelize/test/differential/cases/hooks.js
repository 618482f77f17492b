import { setTimeout } from 'node:timers/promises'
import { makeBlog } from '../samples/blog.js'

const INSTANCE_HOOKS = [
  'beforeValidate',
  'afterValidate',
  'validationFailed',
  'beforeCreate',
  'afterCreate',
  'beforeUpdate',
  'afterUpdate',
  'beforeSave',
  'afterSave',
  'beforeDestroy',
  'afterDestroy',
  'beforeRestore',
  'afterRestore',
  'beforeUpsert',
  'afterUpsert',
]
const BULK_HOOKS = [
  'beforeBulkCreate',
  'afterBulkCreate',
  'beforeBulkUpdate',
  'afterBulkUpdate',
  'beforeBulkDestroy',
  'afterBulkDestroy',
  'beforeBulkRestore',
  'afterBulkRestore',
]
const CONNECTION_HOOKS = ['beforeConnect', 'afterConnect', 'beforeDisconnect', 'afterDisconnect', 'beforePoolAcquire', 'afterPoolAcquire']

async function openThings(sequelize, DataTypes, options) {
  const Thing = sequelize.define(
    'thing',
    { name: { type: DataTypes.STRING, unique: true, validate: { len: [1, 5] } } },
    { paranoid: true, ...options },
  )
  await Thing.sync()
  return Thing
}

/** A case in which one hook throws; what was written then? */
const throwing = (hook, work) => async (Sequelize, sequelize, DataTypes, tools) => {
  const Thing = await openThings(sequelize, DataTypes)
  await Thing.create({ name: 'old' })
  Thing.addHook(hook, () => {
    throw new RangeError(`refused by ${hook}`)
  })
  return [await tools.errorOf(work(Thing, sequelize)), await Thing.findAll({ paranoid: false })]
}

export const cases = {
  'calls hooks of an instance in order': async (Sequelize, sequelize, DataTypes, tools) => {
    const Thing = await openThings(sequelize, DataTypes)
    tools.watchHooks(Thing, INSTANCE_HOOKS)
    const thing = await Thing.create({ name: 'a' })
    await thing.update({ name: 'b' })
    await thing.destroy()
    await thing.restore()
    const failed = await tools.errorOf(Thing.create({ name: 'too long' }))
    await Thing.upsert({ id: 5, name: 'u' })
    return failed
  },
  'calls hooks of bulk operations in order': async (Sequelize, sequelize, DataTypes, tools) => {
    const Thing = await openThings(sequelize, DataTypes)
    tools.watchHooks(Thing, BULK_HOOKS)
    await Thing.bulkCreate([{ name: 'a' }, { name: 'b' }])
    await Thing.update({ name: 'c' }, { where: { id: 1 } })
    await Thing.destroy({ where: { id: 1 } })
    return Thing.restore({ where: { id: 1 } })
  },
  'calls individual hooks of bulk operations': async (Sequelize, _, DataTypes, tools) => {
    // Several rows are written at once: over one connection they have an order.
    const sequelize = tools.connect({ pool: { max: 1 } })
    const Thing = await openThings(sequelize, DataTypes)
    tools.watchHooks(Thing, [...INSTANCE_HOOKS, ...BULK_HOOKS])
    return [
      await Thing.bulkCreate([{ name: 'a' }, { name: 'b' }], { individualHooks: true }),
      await Thing.update({ name: 'c' }, { where: { id: 1 }, individualHooks: true }),
      await Thing.destroy({ where: {}, individualHooks: true }),
      await Thing.restore({ where: { id: 1 }, individualHooks: true }),
    ]
  },
  'calls no hooks on request': async (Sequelize, sequelize, DataTypes, tools) => {
    const Thing = await openThings(sequelize, DataTypes)
    tools.watchHooks(Thing, [...INSTANCE_HOOKS, ...BULK_HOOKS])
    const thing = await Thing.create({ name: 'too long' }, { hooks: false, validate: false })
    await thing.update({ name: 'b' }, { hooks: false })
    return Thing.destroy({ where: {}, hooks: false })
  },
  'lets hooks change values': async (Sequelize, sequelize, DataTypes) => {
    const Thing = await openThings(sequelize, DataTypes, {
      hooks: {
        beforeCreate: thing => void (thing.name = thing.name.toUpperCase()),
        beforeBulkCreate: things => things.forEach(thing => (thing.name += '+')),
        beforeBulkUpdate: options => void (options.attributes.name = 'hook'),
        afterFind: found => Array.isArray(found) && found.forEach(thing => thing.setDataValue('name', `${thing.name}!`)),
      },
    })
    await Thing.create({ name: 'a' })
    await Thing.bulkCreate([{ name: 'b' }])
    await Thing.update({ name: 'x' }, { where: { id: 2 } })
    return Thing.findAll({ order: ['id'] })
  },
  'waits for asynchronous hooks': async (Sequelize, sequelize, DataTypes, tools) => {
    const Thing = await openThings(sequelize, DataTypes)
    Thing.beforeCreate(async () => {
      await setTimeout(5)
      tools.note('first')
    })
    Thing.beforeCreate('named', () => tools.note('second'))
    Thing.afterCreate(async thing => {
      await Thing.create({ name: 'more' }, { hooks: false })
      tools.note('created', thing.name)
    })
    await Thing.create({ name: 'a' })
    Thing.removeHook('beforeCreate', 'named')
    await Thing.create({ name: 'b' }, { hooks: false })
    return [Thing.hasHook('beforeCreate'), await Thing.count()]
  },
  'stops at a hook before a create': throwing('beforeCreate', Thing => Thing.create({ name: 'new' })),
  'stops at a hook after a create': throwing('afterCreate', Thing => Thing.create({ name: 'new' })),
  'stops at a hook before an update': throwing('beforeUpdate', async Thing => (await Thing.findOne()).update({ name: 'new' })),
  'stops at a hook after an update': throwing('afterUpdate', async Thing => (await Thing.findOne()).update({ name: 'new' })),
  'stops at a hook before a validation': throwing('beforeValidate', Thing => Thing.create({ name: 'new' })),
  'stops at a hook before a destroy': throwing('beforeDestroy', async Thing => (await Thing.findOne()).destroy()),
  'stops at a hook after bulk operations': throwing('afterBulkCreate', Thing => Thing.bulkCreate([{ name: 'new' }])),
  'stops at a hook before a find': async (Sequelize, sequelize, DataTypes, tools) => {
    const Thing = await openThings(sequelize, DataTypes)
    Thing.beforeFind(() => Promise.reject(new Error('no finding')))
    return tools.errorOf(Thing.findAll())
  },
  'rolls back when a hook throws': throwing('afterCreate', (Thing, sequelize) =>
    sequelize.transaction(transaction => Thing.create({ name: 'new' }, { transaction })),
  ),
  'replaces an error in a hook': async (Sequelize, sequelize, DataTypes, tools) => {
    const Thing = await openThings(sequelize, DataTypes, {
      hooks: {
        validationFailed: (_, __, error) => {
          throw new Error(`instead of ${error.name}`)
        },
      },
    })
    return tools.errorOf(Thing.create({ name: 'too long' }))
  },
  'calls hooks of the instance for every model': async (Sequelize, sequelize, DataTypes, tools) => {
    tools.watchHooks(sequelize, ['beforeCreate', 'afterCreate', 'beforeFind', 'beforeBulkDestroy'])
    const { Tag } = await makeBlog(sequelize, DataTypes)
    await Tag.create({ id: 9, label: 'x' })
    await Tag.findOne()
    return Tag.destroy({ where: { id: 9 } })
  },
  'calls hooks of definitions and syncs': async (Sequelize, sequelize, DataTypes, tools) => {
    for (const name of ['beforeSync', 'afterSync', 'beforeBulkSync', 'afterBulkSync']) sequelize.addHook(name, ({ force }) => tools.note(name, force))
    sequelize.addHook('beforeDefine', (attributes, options) => tools.note('beforeDefine', Object.keys(attributes), options.modelName))
    sequelize.addHook('afterDefine', Model => tools.note('afterDefine', Model))
    const Thing = sequelize.define('thing', { name: DataTypes.STRING })
    Thing.addHook('beforeAssociate', data => tools.note('beforeAssociate', Object.keys(data)))
    Thing.belongsTo(Thing, { as: 'parent' })
    await sequelize.sync()
    return Thing.sync({ force: true })
  },
  'calls hooks around queries': async (Sequelize, sequelize, DataTypes, tools) => {
    for (const name of ['beforeQuery', 'afterQuery'])
      sequelize.addHook(name, (options, query) => tools.note(name, options.type, query.sql, query.options.type, query.model))
    const Thing = await openThings(sequelize, DataTypes)
    await Thing.create({ name: 'a' })
    await sequelize.transaction(transaction => Thing.findAll({ transaction }))
    return tools.errorOf(sequelize.query('SELECT nothing'))
  },
  'gives the options of a query to its hooks': async (Sequelize, sequelize, DataTypes, tools) => {
    sequelize.addHook('beforeQuery', (options, query) =>
      tools.note('options', Object.keys(options).sort(), options.transaction, Object.keys(query.options).sort()),
    )
    await sequelize.query('SELECT 1')
    await sequelize.query('SELECT 1', { plain: true, raw: true })
    return sequelize.transaction(transaction => sequelize.query('SELECT 2', { transaction, type: Sequelize.QueryTypes.SELECT }))
  },
  'stops at a hook before a query': async (Sequelize, sequelize, DataTypes, tools) => {
    const Thing = await openThings(sequelize, DataTypes)
    let refused = true
    sequelize.addHook('beforeQuery', () => {
      if (refused) throw new Error('no query')
    })
    const errors = [await tools.errorOf(Thing.create({ name: 'a' })), await tools.errorOf(sequelize.query('SELECT 1'))]
    refused = false
    return [errors, await Thing.count()]
  },
  'calls hooks around a connection': async (Sequelize, _, DataTypes, tools) => {
    // Without a version Sequelize makes a connection of its own, to ask for it.
    const sequelize = tools.connect({ pool: { max: 1 }, databaseVersion: '14.0.0' })
    sequelize.addHook('beforeConnect', config => tools.note('beforeConnect', config.database === tools.address.database, config.username))
    sequelize.addHook('afterConnect', connection =>
      tools.note(
        'afterConnect',
        connection,
        connection.user,
        connection.database === tools.address.database,
        typeof connection.processID,
        connection instanceof sequelize.connectionManager.lib.Client,
      ),
    )
    sequelize.addHook('beforeDisconnect', connection => tools.note('beforeDisconnect', connection))
    sequelize.addHook('afterDisconnect', connection => tools.note('afterDisconnect', connection))
    await sequelize.query('SELECT 1')
    await sequelize.query('SELECT 2')
    await sequelize.close()
    return sequelize.options.databaseVersion
  },
  'calls hooks around the pool': async (Sequelize, _, DataTypes, tools) => {
    const sequelize = tools.connect({ pool: { max: 1 } })
    for (const name of CONNECTION_HOOKS.slice(4)) sequelize.addHook(name, () => tools.note(name))
    await sequelize.query('SELECT 1')
    await sequelize.transaction(transaction => sequelize.query('SELECT 2', { transaction }))
    return sequelize.query('SELECT 3')
  },
  'connects with what a hook changed': async (Sequelize, _, DataTypes, tools) => {
    const sequelize = tools.connect({ password: 'wrong' })
    sequelize.addHook('beforeConnect', async config => void (config.password = tools.address.password))
    return sequelize.query('SELECT 1 AS one', { plain: true })
  },
  'hears notices of the server': {
    only: { route: 'direct', why: 'client_min_messages is a setting of the session' },
    run: async (Sequelize, _, DataTypes, tools) => {
      const sequelize = tools.connect({ pool: { max: 1 } })
      sequelize.addHook(
        'afterConnect',
        connection => void connection.on('notice', ({ severity, message }) => tools.note('notice', severity, message)),
      )
      await sequelize.query("DO $$ BEGIN RAISE WARNING 'own'; RAISE NOTICE 'too quiet'; END $$")
      await sequelize.query('CREATE TABLE IF NOT EXISTS things (n int)')
      await sequelize.query('SELECT * FROM things')
      await sequelize.query('INSERT INTO things VALUES ($1)', { bind: [1] })
      await sequelize.query('SET LOCAL work_mem = 1024')
      return sequelize.transaction(async transaction => {
        await sequelize.query("DO $$ BEGIN RAISE WARNING 'inside'; END $$", { transaction })
        await sequelize.query('BEGIN', { transaction })
        return sequelize.query('UPDATE things SET n = 2', { transaction })
      })
    },
  },
  'lets an application wrap query': async (Sequelize, sequelize, DataTypes, tools) => {
    const { query } = Sequelize.prototype
    Sequelize.prototype.query = function (...given) {
      tools.note('query', typeof given[0] === 'object' ? given[0].query : given[0])
      return query.apply(this, given)
    }
    try {
      const Thing = await openThings(sequelize, DataTypes)
      await sequelize.transaction(transaction => Thing.create({ name: 'a' }, { transaction }))
      return await Thing.findAll()
    } finally {
      Sequelize.prototype.query = query
    }
  },
  'prepares each connection in a hook': async (Sequelize, _, DataTypes, tools) => {
    const sequelize = tools.connect({ pool: { max: 1 } })
    sequelize.addHook('afterConnect', async connection => void (await connection.query("SET application_name TO 'set in a hook'")))
    return sequelize.transaction(transaction => sequelize.query('SHOW application_name', { transaction, plain: true }))
  },
  'fails when a connection hook throws': async (Sequelize, _, DataTypes, tools) => {
    const sequelize = tools.connect({ logging: false, pool: { acquire: 1_500 } })
    sequelize.addHook('beforeConnect', () => {
      throw new Error('no secret today')
    })
    return [await tools.errorOf(sequelize.query('SELECT 1')), await tools.errorOf(sequelize.transaction(() => tools.note('never')))]
  },
  'calls static hooks of the class': async (Sequelize, _, DataTypes, tools) => {
    Sequelize.addHook('beforeInit', (config, options) => tools.note('beforeInit', config.database === undefined, options.dialect))
    Sequelize.addHook('afterInit', sequelize => tools.note('afterInit', sequelize))
    const sequelize = tools.connect()
    return sequelize.query('SELECT 1')
  },
}
