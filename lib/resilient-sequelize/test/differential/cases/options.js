import pg from 'pg'
import { defineBlog, makeBlog } from '../samples/blog.js'

/** A case over the blog on an instance with other options. */
const withOptions =
  (
    options,
    work = async ({ User, Post }) => [
      await User.findAll({ include: [{ model: Post, as: 'posts' }], order: ['id', ['posts', 'id', 'ASC']] }),
      await Post.update({ score: 1 }, { where: { id: 1 } }),
    ],
    more,
  ) =>
  async (Sequelize, _, DataTypes, tools) => {
    const sequelize = tools.connect(options)
    const models = await makeBlog(sequelize, DataTypes, more)
    return work({ ...models, Sequelize, sequelize, DataTypes, tools })
  }

export const cases = {
  'takes define options: underscored': withOptions({ define: { underscored: true } }, undefined, { timestamps: true }),
  'takes define options: freezeTableName': withOptions({ define: { freezeTableName: true } }),
  'takes define options: names of tables': withOptions({ define: { hooks: { beforeFind: () => undefined }, charset: 'utf8', paranoid: false } }),
  'leaves identifiers unquoted': async (Sequelize, _, DataTypes, tools) => {
    const sequelize = tools.connect({ quoteIdentifiers: false })
    const Thing = sequelize.define(
      'thing',
      { firstName: DataTypes.STRING, size: DataTypes.INTEGER },
      { timestamps: false, tableName: 'plain_things' },
    )
    await Thing.sync()
    await Thing.create({ firstName: 'a', size: 1 })
    return [
      await Thing.findAll(),
      await Thing.findAll({ raw: true, where: { firstName: 'a' } }),
      await Thing.update({ size: 2 }, { where: { firstName: 'a' } }),
    ]
  },
  'shortens aliases': withOptions({ minifyAliases: true }, async ({ User, Post, Comment }) =>
    User.findAll({
      include: [{ model: Post, as: 'posts', include: [{ model: Comment, include: [{ association: 'writer' }] }] }],
      order: ['id', ['posts', 'id', 'ASC']],
    }),
  ),
  'measures statements': withOptions({ benchmark: true }),
  'logs parameters': withOptions({ logQueryParameters: true }, async ({ User, Post }) => [
    await User.create({ id: 9, name: "o'neil" }),
    await User.update({ age: 1 }, { where: { id: 9 } }),
    await Post.findAll({ where: { id: 1 } }),
  ]),
  'takes query options for all queries': withOptions({ query: { raw: true } }, ({ User }) => User.findAll({ order: ['id'] })),
  'takes sync options for all syncs': withOptions({ sync: { force: true } }, async ({ User, sequelize }) => [
    await sequelize.sync(),
    await User.count(),
  ]),
  'keeps NULL out on request': withOptions({ omitNull: true }, async ({ User }) => [
    await User.create({ id: 9, name: 'x', email: null }),
    await User.update({ age: null }, { where: { id: 1 } }),
  ]),
  'takes a URL': async (Sequelize, _, DataTypes, { address, connect, ...tools }) => {
    const { user, password, host, port, database } = address
    const logged = []
    const url = new Sequelize(`postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}?application_name=from-the-url`, {
      logging: text => logged.push(text),
    })
    const seen = await url.transaction(transaction => url.query('SHOW application_name', { transaction, plain: true }))
    await url.close()
    return [
      seen,
      url.config.database === database,
      url.getDatabaseName() === database,
      url.getDialect(),
      typeof connect,
      typeof tools.note,
      logged.map(text => text.replace(/\(.*?\)/, '')),
    ]
  },
  'takes a URL with settings of TLS': {
    only: { route: 'direct', why: 'the pooler of the tests has no certificate' },
    run: async (Sequelize, _, DataTypes, { address }) => {
      const { user, password, host, port, database } = address
      const seen = []
      for (const query of ['', '?sslmode=disable', '?sslmode=require', '?sslmode=no-verify', '?ssl=true', '?sslmode=prefer']) {
        const sequelize = new Sequelize(`postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}${query}`, {
          logging: false,
          pool: { acquire: 300 },
        })
        const found = await sequelize
          .query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()', { plain: true })
          .catch(error => [error.name, error.original.code])
        seen.push([query, found])
        await sequelize.close()
      }
      return seen
    },
  },
  'takes a port as a text': async (Sequelize, _, DataTypes, tools) =>
    tools.connect({ port: String(tools.address.port) }).query('SELECT 1 AS one', { plain: true }),
  'keeps the time zone of the server on request': {
    only: { route: 'direct', why: 'the time zone is a setting of the session' },
    run: async (Sequelize, _, DataTypes, tools) => {
      const sequelize = tools.connect({ keepDefaultTimezone: true, dialectOptions: { options: '-c TimeZone=Asia/Tokyo' } })
      return sequelize.query("SELECT '2024-01-01 00:00'::timestamptz AS at, current_setting('TimeZone') AS zone", { plain: true })
    },
  },
  'takes options alone': async (Sequelize, _, DataTypes, { address }) => {
    const { user, password, host, port, database } = address
    const sequelize = new Sequelize({ username: user, password, host, port, database, dialect: 'postgres', logging: false })
    const seen = await sequelize.query('SELECT current_user = $1 AS same', { bind: [user], plain: true })
    await sequelize.close()
    return seen
  },
  'sets the name of the application': async (Sequelize, _, DataTypes, tools) => {
    const sequelize = tools.connect({ dialectOptions: { application_name: 'of the application' } })
    return sequelize.transaction(transaction => sequelize.query('SHOW application_name', { transaction, plain: true }))
  },
  'takes the parsers of an application': async (Sequelize, sequelize) => {
    const { types, defaults } = sequelize.connectionManager.lib
    const before = types.getTypeParser(20)
    const read = () => sequelize.query("SELECT 5::int8 AS big, '{6,7}'::int8[] AS bigs, '1.5'::numeric AS price", { plain: true })
    try {
      types.setTypeParser(20, text => BigInt(text))
      const own = await read()
      defaults.parseInt8 = true
      return [own, await read()]
    } finally {
      defaults.parseInt8 = false
      types.setTypeParser(20, before)
    }
  },
  'takes the pg of an application': async (Sequelize, _, DataTypes, tools) => {
    const sequelize = tools.connect({ dialectModule: pg })
    return [await sequelize.query('SELECT 1 AS one', { plain: true }), await tools.errorOf(sequelize.query('SELECT nothing'))]
  },
  'connects with TLS': {
    only: { route: 'direct', why: 'the pooler of the tests has no certificate' },
    run: async (Sequelize, _, DataTypes, tools) => {
      const sequelize = tools.connect({ dialectOptions: { ssl: { rejectUnauthorized: false } } })
      const strict = tools.connect({ logging: false, dialectOptions: { ssl: { rejectUnauthorized: true } }, pool: { acquire: 300 } })
      const error = await tools.errorOf(strict.query('SELECT 1'))
      return [await sequelize.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()', { plain: true }), error.name, error.original.code]
    },
  },
  'keeps options as they are given': async (Sequelize, sequelize) => {
    const options = Object.freeze({ type: 'SELECT', replacements: Object.freeze({ a: 1 }) })
    const first = await sequelize.query('SELECT :a AS a', options)
    const inside = await sequelize.transaction(transaction => sequelize.query('SELECT :a AS a', Object.freeze({ ...options, transaction })))
    return [first, await sequelize.query('SELECT :a AS a', options), inside, options]
  },
  'starts sessions with another isolation level': {
    only: { route: 'direct', why: 'a pooler drops start-up options' },
    run: async (Sequelize, _, DataTypes, tools) => {
      const sequelize = tools.connect({ dialectOptions: { options: '-c default_transaction_isolation=serializable' } })
      const Thing = sequelize.define('thing', { n: DataTypes.INTEGER }, { timestamps: false })
      await Thing.sync()
      await Thing.create({ n: 1 })
      return [
        await sequelize.query('SHOW transaction_isolation', { plain: true }),
        await Thing.findAll(),
        await sequelize.transaction(transaction => sequelize.query('SHOW transaction_isolation', { transaction, plain: true })),
      ]
    },
  },
  'sends settings with the start of a session': {
    only: { route: 'direct', why: 'a pooler drops start-up options' },
    run: async (Sequelize, _, DataTypes, tools) => {
      const sequelize = tools.connect({ dialectOptions: { options: '-c work_mem=5MB -c search_path=extensions,public' } })
      return [await sequelize.query('SHOW work_mem', { plain: true }), await sequelize.query('SHOW search_path', { plain: true })]
    },
  },
  'has the settings of a session that applications see': {
    only: { route: 'direct', why: 'the settings of a pooled session belong to the pooler' },
    run: async (Sequelize, sequelize) => {
      const names = [
        'client_min_messages',
        'standard_conforming_strings',
        'TimeZone',
        'DateStyle',
        'client_encoding',
        'search_path',
        'statement_timeout',
        'lock_timeout',
        'idle_in_transaction_session_timeout',
        'extra_float_digits',
        'application_name',
        'transaction_isolation',
        'default_transaction_read_only',
        'bytea_output',
        'IntervalStyle',
      ]
      const seen = {}
      for (const name of names) seen[name] = (await sequelize.query(`SHOW ${name}`, { type: 'SELECT' }))[0]
      return seen
    },
  },
  'prepends no notice of the server': {
    only: { route: 'direct', why: 'client_min_messages is a setting of the session' },
    run: async (Sequelize, _, DataTypes, tools) => {
      const sequelize = tools.connect({ dialectOptions: { clientMinMessages: 'debug1' } })
      const ignoring = tools.connect({ dialectOptions: { clientMinMessages: 'ignore' } })
      const show = one => one.query('SHOW client_min_messages', { plain: true })
      return [await show(sequelize), await show(ignoring)]
    },
  },
  'copies operators by other names': withOptions({ operatorsAliases: false }, ({ User, Sequelize }) =>
    User.findAll({ where: { age: { [Sequelize.Op.gt]: 36 } }, raw: true }),
  ),
  'knows its models and options': async (Sequelize, sequelize, DataTypes, tools) => {
    const { User } = defineBlog(sequelize, DataTypes)
    return [
      Object.keys(sequelize.models),
      sequelize.model('user') === User,
      sequelize.isDefined('nothing'),
      sequelize.options.dialect,
      sequelize.options.logging === false,
      sequelize.config.host === tools.address.host,
      sequelize.config.port === tools.address.port,
      sequelize.config.username === tools.address.user,
      sequelize.Sequelize === Sequelize || Object.getPrototypeOf(Sequelize) === sequelize.Sequelize,
      sequelize instanceof sequelize.Sequelize,
      sequelize instanceof Sequelize,
      sequelize.constructor === Sequelize || Object.getPrototypeOf(sequelize).constructor === Sequelize,
      sequelize.modelManager.models.length,
      Object.keys(Sequelize.Op).length,
      typeof Sequelize.version,
      Sequelize.QueryTypes,
      Object.keys(Sequelize.DataTypes).sort(),
      Sequelize.DataTypes.STRING === DataTypes.STRING,
      Sequelize.Model === sequelize.Sequelize.Model,
      sequelize.Validator === Sequelize.Validator,
    ]
  },
  'uses functions of the instance and of the class': async (Sequelize, sequelize) =>
    sequelize.query(
      sequelize.getQueryInterface().queryGenerator.selectQuery('pg_class', {
        attributes: [
          [sequelize.fn('COUNT', sequelize.literal('1')), 'n'],
          [Sequelize.cast('5', 'integer'), 'five'],
        ],
        where: { relname: 'pg_type', relkind: { [Sequelize.Op.eq]: Sequelize.literal("'r'") } },
      }),
      { type: 'SELECT' },
    ),
  'puts models into several schemas': async (Sequelize, sequelize, DataTypes) => {
    await sequelize.createSchema('one')
    await sequelize.createSchema('two')
    const One = sequelize.define('thing', { name: DataTypes.STRING, kind: DataTypes.ENUM('a', 'b') }, { schema: 'one', timestamps: false })
    const Two = sequelize.define('part', { name: DataTypes.STRING }, { schema: 'two', timestamps: false })
    One.hasMany(Two)
    Two.belongsTo(One)
    await sequelize.sync()
    const one = await One.create({ name: 'x', kind: 'a', parts: [{ name: 'p' }] }, { include: [Two] })
    const Elsewhere = One.schema('elsewhere')
    await sequelize.createSchema('elsewhere')
    await Elsewhere.sync()
    await Elsewhere.create({ name: 'other', kind: 'b' })
    return [
      one,
      await One.findAll({ include: [Two] }),
      await Two.findAll({ include: [One] }),
      await Elsewhere.findAll(),
      One.getTableName(),
      await one.countParts(),
      await sequelize.getQueryInterface().showAllTables(),
    ]
  },
  'takes a schema for all models': async (Sequelize, _, DataTypes, tools) => {
    const sequelize = tools.connect({ define: { schema: 'app' }, schema: 'app' })
    await sequelize.createSchema('app')
    const { User } = await makeBlog(sequelize, DataTypes)
    return [
      await User.findAll({ order: ['id'], raw: true }),
      await sequelize.getQueryInterface().describeTable({ tableName: 'tags', schema: 'app' }),
      await sequelize.drop(),
    ]
  },
  'syncs tables, indexes and comments': async (Sequelize, sequelize, DataTypes) => {
    const Thing = sequelize.define(
      'thing',
      {
        name: { type: DataTypes.STRING, comment: "it's a name" },
        kind: { type: DataTypes.ENUM('a', 'b'), defaultValue: 'a' },
        data: DataTypes.JSONB,
        size: { type: DataTypes.INTEGER, unique: 'sized' },
      },
      {
        comment: 'of things',
        indexes: [
          { fields: ['name'] },
          { fields: ['data'], using: 'gin', operator: 'jsonb_path_ops' },
          { fields: ['kind', 'size'], unique: true, where: { kind: 'a' } },
          { name: 'lowered', fields: [Sequelize.fn('lower', Sequelize.col('name'))] },
        ],
      },
    )
    return [await Thing.sync(), await sequelize.sync({ alter: true }), await Thing.describe(), await Thing.drop({})]
  },
  'syncs models that refer to each other': async (Sequelize, sequelize, DataTypes) => {
    const One = sequelize.define('one', { name: DataTypes.STRING }, { timestamps: false })
    const Two = sequelize.define('two', { name: DataTypes.STRING }, { timestamps: false })
    One.belongsTo(Two, { as: 'other' })
    Two.belongsTo(One, { as: 'first' })
    await sequelize.sync()
    return [await One.create({ name: 'a' }), await sequelize.drop()]
  },
  'refuses to sync a database of another name': async (Sequelize, sequelize, DataTypes, tools) =>
    tools.errorOf(sequelize.sync({ match: /^nothing_of_the_kind$/ })),
  'syncs nothing without models': async (Sequelize, sequelize) => {
    await sequelize.sync()
    return sequelize.sync({ force: true })
  },
}
