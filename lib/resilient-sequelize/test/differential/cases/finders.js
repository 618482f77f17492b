import { openBlog } from '../samples/blog.js'

/** A case over the rows of the blog. */
const onBlog = work => async (Sequelize, sequelize, DataTypes, tools) => {
  const models = await openBlog(sequelize, DataTypes, tools)
  return work({ ...models, Op: Sequelize.Op, Sequelize, sequelize, DataTypes, tools })
}

/** A case that finds users by each of several conditions. */
const where = conditionsOf =>
  onBlog(async ({ User, Op, Sequelize, sequelize }) => {
    const found = []
    for (const condition of conditionsOf({ Op, Sequelize, sequelize }))
      found.push(await User.findAll({ where: condition, attributes: ['id', 'name'], order: ['id'], raw: true }))
    return found
  })

export const cases = {
  'finds all rows as instances': onBlog(({ User }) => User.findAll({ order: ['id'] })),
  'finds all rows as plain objects': onBlog(({ User }) => User.findAll({ order: [['id', 'DESC']], raw: true })),
  'finds no row': onBlog(async ({ User }) => [
    await User.findAll({ where: { id: 99 } }),
    await User.findOne({ where: { id: 99 } }),
    await User.findByPk(99),
    await User.findByPk(null),
    await User.findByPk(undefined),
    await User.findAll({ where: { id: [] } }),
  ]),
  'rejects an empty result on request': onBlog(async ({ User, Sequelize, tools }) => [
    await tools.errorOf(User.findOne({ where: { id: 99 }, rejectOnEmpty: true })),
    await tools.errorOf(User.findByPk(99, { rejectOnEmpty: new Sequelize.EmptyResultError('none of these') })),
    await tools.errorOf(User.findAll({ where: { id: 99 }, rejectOnEmpty: true })),
  ]),
  'finds one row': onBlog(async ({ User }) => [
    await User.findOne({ where: { name: 'Ada' } }),
    await User.findOne({ order: [['age', 'DESC NULLS LAST']], raw: true }),
    await User.findByPk(2),
    await User.findByPk('2', { raw: true, attributes: ['email'] }),
  ]),
  'finds or creates a row': onBlog(async ({ User }) => [
    await User.findOrCreate({ where: { name: 'Ada' }, defaults: { age: 1 } }),
    await User.findOrCreate({ where: { name: 'Eve' }, defaults: { age: 20, id: 10 } }),
    await User.findOrCreate({ where: { name: 'Eve' } }),
  ]),
  'finds or creates a row in a transaction': onBlog(({ User, sequelize }) =>
    sequelize.transaction(async transaction => [
      await User.findOrCreate({ where: { name: 'Eve' }, defaults: { id: 10 }, transaction }),
      await User.findOrCreate({ where: { name: 'Eve' }, transaction }),
    ]),
  ),
  'meets a unique constraint in findOrCreate': onBlog(async ({ User, tools }) =>
    tools.errorOf(User.findOrCreate({ where: { name: 'Nobody' }, defaults: { id: 10, email: 'ada@example.com' } })),
  ),
  'finds or creates without a transaction': onBlog(async ({ User }) => [
    await User.findCreateFind({ where: { name: 'Ada' } }),
    await User.findCreateFind({ where: { email: 'new@example.com' }, defaults: { id: 10, name: 'New' } }),
    await User.findCreateFind({ where: { email: 'new@example.com' } }),
  ]),
  'finds or builds a row': onBlog(async ({ User }) => [
    await User.findOrBuild({ where: { name: 'Ada' } }),
    await User.findOrBuild({ where: { name: 'New' }, defaults: { age: 3 } }),
  ]),
  'finds and counts rows': onBlog(async ({ User, Post }) => [
    await User.findAndCountAll({ limit: 2, offset: 1, order: ['id'] }),
    await User.findAndCountAll({ include: [{ model: Post, as: 'posts' }], limit: 1, order: ['id'], distinct: true }),
    await Post.findAndCountAll({ group: ['authorId'], attributes: ['authorId'], order: ['authorId'] }),
  ]),
  'counts rows': onBlog(async ({ User, Post }) => [
    await User.count(),
    await User.count({ where: { active: false } }),
    await User.count({ col: 'age', distinct: true }),
    await User.count({ group: ['active'], attributes: ['active'] }),
    await User.count({ include: [{ model: Post, as: 'posts', required: true }] }),
  ]),
  'aggregates rows': onBlog(async ({ User, Post }) => [
    await Post.sum('score'),
    await Post.min('score'),
    await Post.max('day'),
    await User.max('joined'),
    await User.min('name'),
    await Post.sum('score', { where: { id: 99 } }),
    await Post.max('score', { where: { id: 99 } }),
    await Post.sum('score', { group: ['authorId'], attributes: ['authorId'], plain: false }),
    await Post.aggregate('score', 'avg', { dataType: 'float' }),
  ]),
  'compares equal, unequal and null': where(({ Op }) => [
    { name: 'Ada' },
    { name: { [Op.ne]: 'Ada' } },
    { age: null },
    { age: { [Op.is]: null } },
    { age: { [Op.not]: null } },
    { active: { [Op.not]: true } },
    { name: ['Ada', 'Bob'] },
    { name: { [Op.notIn]: ['Ada'] } },
    { name: { [Op.in]: [] } },
  ]),
  'compares greater and less': where(({ Op }) => [
    { age: { [Op.gt]: 36 } },
    { age: { [Op.gte]: 36, [Op.lt]: 41 } },
    { age: { [Op.between]: [30, 40] } },
    { age: { [Op.notBetween]: [30, 40] } },
    { joined: { [Op.lte]: new Date(Date.UTC(2024, 0, 2, 12)) } },
  ]),
  'compares with AND, OR and NOT': where(({ Op, Sequelize }) => [
    { [Op.or]: [{ name: 'Ada' }, { age: 41 }] },
    { [Op.and]: [{ name: 'Ada' }, { [Op.or]: { age: 36, active: false } }] },
    { [Op.not]: { name: 'Ada' } },
    { age: { [Op.or]: [{ [Op.lt]: 40 }, { [Op.is]: null }] } },
    Sequelize.and({ name: 'Ada' }, Sequelize.or({ age: 36 }, { age: 1 })),
  ]),
  'matches LIKE, ILIKE and regular expressions': where(({ Op }) => [
    { name: { [Op.like]: 'A%' } },
    { name: { [Op.iLike]: 'a%' } },
    { name: { [Op.notILike]: 'a%' } },
    { name: { [Op.startsWith]: 'A' } },
    { name: { [Op.endsWith]: 'a' } },
    { name: { [Op.substring]: 'y' } },
    { name: { [Op.regexp]: '^[AB]' } },
    { name: { [Op.iRegexp]: '^a' } },
    { name: { [Op.notRegexp]: '^A' } },
    { name: { [Op.like]: { [Op.any]: ['A%', 'B%'] } } },
    { name: { [Op.iLike]: { [Op.any]: ['a%'] } } },
    { name: { [Op.substring]: "'%_" } },
  ]),
  'compares with functions, columns and literals': where(({ Op, Sequelize, sequelize }) => [
    Sequelize.where(Sequelize.fn('lower', Sequelize.col('name')), 'ada'),
    { age: { [Op.eq]: Sequelize.literal('30 + 6') } },
    sequelize.literal('"age" IS NULL'),
    { name: { [Op.eq]: sequelize.col('name') } },
    Sequelize.where(Sequelize.cast(Sequelize.col('age'), 'text'), { [Op.like]: '3%' }),
    { id: { [Op.in]: Sequelize.literal('(SELECT "authorId" FROM "posts" WHERE "score" > 4)') } },
    { [Op.and]: [Sequelize.where(Sequelize.fn('char_length', Sequelize.col('name')), Op.lt, 4)] },
  ]),
  'escapes what it is given': where(({ Op }) => [
    { name: "'; DROP TABLE users; --" },
    { name: '\\' },
    { name: '$1' },
    { name: ':name' },
    { name: '?' },
    { name: { [Op.in]: ["a'b", '"'] } },
  ]),
  'overlaps and contains arrays': async (Sequelize, sequelize, DataTypes) => {
    const { Op } = Sequelize
    const Thing = sequelize.define(
      'thing',
      { tags: DataTypes.ARRAY(DataTypes.TEXT), numbers: DataTypes.ARRAY(DataTypes.INTEGER) },
      { timestamps: false },
    )
    await Thing.sync()
    await Thing.bulkCreate([
      { tags: ['a', 'b'], numbers: [1, 2] },
      { tags: [], numbers: null },
      { tags: ["it's", 'a,b'], numbers: [3] },
    ])
    const find = where => Thing.findAll({ where, raw: true, order: ['id'] })
    return [
      await find({ tags: { [Op.contains]: ['a'] } }),
      await find({ tags: { [Op.contained]: ['a', 'b', 'c'] } }),
      await find({ tags: { [Op.overlap]: ["it's", 'b'] } }),
      await find({ numbers: [1, 2] }),
      await find({ numbers: { [Op.contains]: [3] } }),
      await find(Sequelize.where(Sequelize.literal("'a'"), Op.eq, Sequelize.fn('ANY', Sequelize.col('tags')))),
    ]
  },
  'compares ranges': async (Sequelize, sequelize, DataTypes) => {
    const { Op } = Sequelize
    const Thing = sequelize.define('thing', { span: DataTypes.RANGE(DataTypes.INTEGER) }, { timestamps: false })
    await Thing.sync()
    await Thing.bulkCreate([{ span: [1, 5] }, { span: [10, null] }, { span: [] }])
    const operators = [Op.contains, Op.contained, Op.overlap, Op.adjacent, Op.strictLeft, Op.strictRight, Op.noExtendRight, Op.noExtendLeft]
    const found = []
    for (const operator of operators) found.push(await Thing.findAll({ where: { span: { [operator]: [2, 6] } }, raw: true, order: ['id'] }))
    return [found, await Thing.findAll({ where: { span: { [Op.contains]: 3 } } })]
  },
  'queries paths of JSON': onBlog(async ({ Profile, Op, Sequelize }) => {
    const conditions = [
      { settings: { theme: 'dark' } },
      { 'settings.depth.level': 2 },
      { settings: { depth: { level: { [Op.gt]: 1 } } } },
      { settings: { tags: { [Op.contains]: ['x'] } } },
      { settings: { [Op.contains]: { theme: 'dark' } } },
      Sequelize.json({ settings: { theme: 'dark' } }),
      Sequelize.where(Sequelize.json('settings.theme'), 'dark'),
      { settings: { theme: { [Op.ne]: null } } },
      { settings: { [Op.is]: null } },
    ]
    const found = []
    // JSON arrays inside of a document are no arrays of PostgreSQL: one of these fails.
    for (const condition of conditions) found.push(await Profile.findAll({ where: condition, raw: true }).catch(error => error))
    return [found, await Profile.findAll({ attributes: [[Sequelize.json('settings.depth.level'), 'level'], 'id'], order: ['id'], raw: true })]
  }),
  'updates a path of JSONB': onBlog(async ({ Profile }) => {
    const profile = await Profile.findByPk(1)
    profile.set('settings.theme', 'light')
    const changed = profile.changed()
    await profile.save()
    profile.settings.depth.level = 3
    profile.changed('settings', true)
    await profile.save()
    return [changed, await Profile.findByPk(1)]
  }),
  'orders by columns, functions and literals': onBlog(async ({ User, Sequelize, sequelize }) => [
    await User.findAll({
      order: [
        ['age', 'DESC NULLS LAST'],
        ['id', 'DESC'],
      ],
      attributes: ['id'],
      raw: true,
    }),
    await User.findAll({ order: [[Sequelize.fn('lower', Sequelize.col('name')), 'ASC'], 'id'], attributes: ['id'], raw: true }),
    await User.findAll({ order: sequelize.literal('age IS NULL, id DESC'), attributes: ['id'], raw: true }),
    await User.findAll({ order: [[sequelize.col('name'), 'ASC NULLS FIRST']], attributes: ['id'], raw: true }),
  ]),
  'groups rows and filters groups': onBlog(async ({ Post, User, Sequelize, Op }) => [
    await Post.findAll({
      attributes: ['authorId', [Sequelize.fn('COUNT', Sequelize.col('id')), 'n'], [Sequelize.fn('SUM', Sequelize.col('score')), 'total']],
      group: 'authorId',
      having: Sequelize.where(Sequelize.fn('COUNT', Sequelize.col('id')), Op.gte, 2),
    }),
    await User.findAll({ attributes: ['active', [Sequelize.literal('COUNT(*)::int'), 'n']], group: ['active'], order: ['active'], raw: true }),
  ]),
  'limits and skips rows': onBlog(async ({ User }) => [
    await User.findAll({ limit: 2, offset: 1, order: ['id'], raw: true }),
    await User.findAll({ limit: 0, raw: true }),
    await User.findAll({ offset: 3, order: ['id'], raw: true }),
  ]),
  'selects, renames and excludes attributes': onBlog(async ({ User, Sequelize }) => [
    await User.findAll({ attributes: ['id', ['name', 'called']], order: ['id'] }),
    await User.findAll({ attributes: { exclude: ['joined', 'email'] }, order: ['id'], raw: true }),
    await User.findAll({
      attributes: {
        include: [
          [Sequelize.literal('age * 2'), 'double'],
          [Sequelize.fn('upper', Sequelize.col('name')), 'loud'],
        ],
      },
      order: ['id'],
    }),
    await User.findAll({
      attributes: [[Sequelize.literal('(SELECT count(*) FROM posts WHERE "authorId" = "user"."id")'), 'posts']],
      order: ['id'],
      raw: true,
    }),
  ]),
  'nests raw rows of an include': onBlog(async ({ Post, User }) => [
    await Post.findAll({ include: [{ model: User, as: 'author' }], raw: true, order: ['id'] }),
    await Post.findAll({ include: [{ model: User, as: 'author', attributes: ['name'] }], raw: true, nest: true, order: ['id'] }),
  ]),
  'selects distinct values': onBlog(({ User, Sequelize }) =>
    User.findAll({ attributes: [[Sequelize.fn('DISTINCT', Sequelize.col('age')), 'age']], order: [['age', 'ASC']], raw: true }),
  ),
  'searches text': async (Sequelize, sequelize, DataTypes) => {
    const { Op } = Sequelize
    const Page = sequelize.define('page', { words: DataTypes.TSVECTOR }, { timestamps: false })
    await Page.sync()
    await Page.bulkCreate([{ words: 'fat cats' }, { words: 'thin dog' }])
    return [
      await Page.findAll({ where: { words: { [Op.match]: Sequelize.fn('to_tsquery', 'fat & cats') } } }),
      await Page.findAll({ where: { words: { [Op.match]: sequelize.literal("plainto_tsquery('dog')") } }, raw: true }),
    ]
  },
  'fails for unknown columns, operators and models': onBlog(async ({ User, Post, tools }) => [
    await tools.errorOf(User.findAll({ where: { nothing: 1 } })),
    await tools.errorOf(User.findAll({ order: ['nothing'] })),
    await tools.errorOf(User.findAll({ attributes: ['nothing'] })),
    await tools.errorOf(User.findAll({ where: { name: undefined } })),
    await tools.errorOf(User.findAll({ include: [{ model: Post }] })),
    await tools.errorOf(User.findAll({ include: [{ model: Post, as: 'wrong' }] })),
    await tools.errorOf(() => User.findAll({ where: 'a raw string' })),
  ]),
  'finds rows with a lock': onBlog(({ User, sequelize, Sequelize }) =>
    sequelize.transaction(async transaction => [
      await User.findAll({ lock: true, transaction, where: { id: 1 } }),
      await User.findAll({ lock: transaction.LOCK.SHARE, transaction, raw: true, order: ['id'] }),
      await User.findOne({ lock: { level: Sequelize.Transaction.LOCK.NO_KEY_UPDATE, of: User }, transaction, where: { id: 2 } }),
    ]),
  ),
  'replaces values inside of literals': onBlog(async ({ User, Post, sequelize }) => [
    await User.findAll({ where: sequelize.literal('"age" > :age'), replacements: { age: 36 }, raw: true }),
    await User.findAll({
      attributes: ['id', [sequelize.literal('(SELECT count(*) FROM posts WHERE title = :title)'), 'n']],
      include: [{ model: Post, as: 'posts', where: sequelize.literal('"posts"."score" > :score'), required: true }],
      replacements: { title: 'One', score: 4 },
      order: ['id'],
    }),
  ]),
  'finds every row in steps': onBlog(async ({ User }) => {
    const pages = []
    for (let offset = 0; ; offset += 2) {
      const page = await User.findAll({ limit: 2, offset, order: ['id'] })
      if (page.length === 0) return pages
      pages.push(page.map(user => user.get({ plain: true })))
    }
  }),
  'finds with hooks of the finder': onBlog(async ({ User, tools }) => {
    tools.watchHooks(User, ['beforeFind', 'beforeFindAfterExpandIncludeAll', 'beforeFindAfterOptions', 'afterFind', 'beforeCount'])
    return [
      await User.findAll({ where: { id: 1 } }),
      await User.findOne({ where: { id: 99 } }),
      await User.count(),
      await User.findAndCountAll({ limit: 1, order: ['id'] }),
    ]
  }),
  'sees its own writes at once': onBlog(async ({ User }) => {
    const seen = []
    for (const age of [1, 2, 3]) {
      await User.update({ age }, { where: { id: 1 } })
      seen.push((await User.findByPk(1)).age)
    }
    return seen
  }),
  'answers parallel finders': onBlog(async ({ User, tools }) => {
    tools.ignoreLogOrder()
    return Promise.all(Array.from({ length: 20 }, (_, index) => User.findByPk((index % 4) + 1, { raw: true })))
  }),
}
