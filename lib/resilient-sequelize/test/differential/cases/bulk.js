import { makeBlog } from '../samples/blog.js'

async function openThings(sequelize, DataTypes, options = {}) {
  const Thing = sequelize.define(
    'thing',
    {
      code: { type: DataTypes.STRING, unique: true },
      name: DataTypes.STRING,
      size: { type: DataTypes.INTEGER, defaultValue: 1 },
      list: DataTypes.ARRAY(DataTypes.INTEGER),
    },
    { timestamps: false, ...options },
  )
  await Thing.sync()
  return Thing
}

const onThings = (work, options) => async (Sequelize, sequelize, DataTypes, tools) =>
  work({ Thing: await openThings(sequelize, DataTypes, options), Sequelize, sequelize, DataTypes, tools })

export const cases = {
  'creates rows in bulk': onThings(async ({ Thing }) => [
    await Thing.bulkCreate([
      { code: 'a', name: 'A' },
      { code: 'b', size: 5, list: [1, 2] },
      { code: "c'", name: null },
    ]),
    await Thing.bulkCreate([]),
    await Thing.findAll({ order: ['id'] }),
  ]),
  'returns chosen columns of a bulk create': onThings(async ({ Thing }) => [
    await Thing.bulkCreate([{ code: 'a' }], { returning: true }),
    await Thing.bulkCreate([{ code: 'b' }], { returning: ['id', 'size'] }),
    await Thing.bulkCreate([{ code: 'c' }], { returning: false }),
    await Thing.bulkCreate([{ code: 'd', name: 'x', size: 9 }], { fields: ['code', 'name'] }),
  ]),
  'ignores duplicates in a bulk create': onThings(async ({ Thing }) => {
    await Thing.create({ code: 'a' })
    return [await Thing.bulkCreate([{ code: 'a' }, { code: 'b' }], { ignoreDuplicates: true }), await Thing.findAll({ raw: true, order: ['id'] })]
  }),
  'updates duplicates in a bulk create': onThings(async ({ Thing }) => {
    await Thing.bulkCreate([{ code: 'a', name: 'old', size: 1 }])
    return [
      await Thing.bulkCreate(
        [
          { code: 'a', name: 'new', size: 2 },
          { code: 'b', name: 'B' },
        ],
        { updateOnDuplicate: ['name'], conflictAttributes: ['code'] },
      ),
      await Thing.bulkCreate([{ id: 1, code: 'z', size: 7 }], { updateOnDuplicate: ['code', 'size'], conflictAttributes: ['id'], returning: true }),
      await Thing.findAll({ raw: true, order: ['code'] }),
    ]
  }),
  'fails a bulk create as a whole': onThings(async ({ Thing, tools }) => [
    await tools.errorOf(Thing.bulkCreate([{ code: 'a' }, { code: 'a' }])),
    await tools.errorOf(Thing.bulkCreate([{ code: 'b' }, { size: 'x' }])),
    await tools.errorOf(Thing.bulkCreate([{ code: 'b' }], { updateOnDuplicate: [] })),
    await Thing.count(),
  ]),
  'creates rows in bulk with what they include': async (Sequelize, sequelize, DataTypes) => {
    const { User, Post } = await makeBlog(sequelize, DataTypes)
    return User.bulkCreate(
      [
        {
          id: 10,
          name: 'E',
          posts: [
            { id: 10, title: 'p' },
            { id: 11, title: 'q' },
          ],
        },
        { id: 11, name: 'F' },
      ],
      {
        include: [{ model: Post, as: 'posts' }],
      },
    )
  },
  'creates rows in bulk with timestamps': onThings(({ Thing }) => Thing.bulkCreate([{ code: 'a' }, { code: 'b' }]), { timestamps: true }),
  'creates a thousand rows in bulk': onThings(async ({ Thing }) => {
    const rows = await Thing.bulkCreate(Array.from({ length: 1_000 }, (_, index) => ({ code: `c${index}`, size: index })))
    return [rows.length, rows[999].id, await Thing.count(), await Thing.sum('size')]
  }),
  'updates rows in bulk': onThings(async ({ Thing, Sequelize }) => {
    await Thing.bulkCreate([{ code: 'a' }, { code: 'b' }, { code: 'c' }])
    return [
      await Thing.update({ name: 'x' }, { where: { code: ['a', 'b'] } }),
      await Thing.update({ size: Sequelize.literal('size + 10') }, { where: {} }),
      await Thing.update({ size: Sequelize.fn('abs', -3), name: Sequelize.col('code') }, { where: { code: 'c' }, returning: true }),
      await Thing.update({}, { where: { code: 'a' } }),
      await Thing.update({ name: 'limited' }, { where: {}, limit: 1 }),
      await Thing.update({ name: undefined, size: 3 }, { where: { code: 'a' }, returning: true }),
    ]
  }),
  'deletes rows in bulk': onThings(async ({ Thing, Sequelize }) => {
    await Thing.bulkCreate([{ code: 'a' }, { code: 'b' }, { code: 'c' }, { code: 'd' }])
    return [
      await Thing.destroy({ where: { code: ['a'] } }),
      await Thing.destroy({ where: { code: 'none' } }),
      await Thing.destroy({ where: Sequelize.literal("code = 'b'"), limit: 5 }),
      await Thing.destroy({ truncate: true }),
      await Thing.count(),
    ]
  }),
  'truncates a table': onThings(async ({ Thing }) => {
    await Thing.bulkCreate([{ code: 'a' }, { code: 'b' }])
    const first = await Thing.truncate()
    await Thing.create({ code: 'c' })
    const second = await Thing.truncate({ restartIdentity: true })
    const third = await Thing.truncate({ cascade: true })
    return [first, second, third, await Thing.create({ code: 'd' })]
  }),
  'truncates all tables of an instance': async (Sequelize, sequelize, DataTypes, tools) => {
    const { User } = await makeBlog(sequelize, DataTypes)
    tools.ignoreLogOrder()
    const error = await tools.errorOf(User.truncate())
    await sequelize.truncate({ cascade: true })
    return [error, await User.count()]
  },
  'destroys all tables of an instance': async (Sequelize, sequelize, DataTypes) => {
    const { Tag } = await makeBlog(sequelize, DataTypes)
    await sequelize.drop()
    return [await sequelize.getQueryInterface().showAllTables(), await Tag.sync()]
  },
  'inserts a row with an upsert': onThings(async ({ Thing }) => [
    await Thing.upsert({ code: 'a', name: 'A' }),
    await Thing.upsert({ id: 5, code: 'b' }),
    await Thing.findAll({ order: ['id'] }),
  ]),
  'updates a row with an upsert': onThings(async ({ Thing }) => {
    await Thing.create({ id: 5, code: 'a', name: 'old', size: 3 })
    return [
      await Thing.upsert({ id: 5, code: 'a', name: 'new' }),
      await Thing.upsert({ code: 'a', size: 9 }, { conflictFields: ['code'] }),
      await Thing.upsert({ id: 5, name: 'only' }, { fields: ['name'], returning: true }),
      await Thing.upsert({ id: 5, size: 4 }, { returning: ['id', 'size'] }),
      await Thing.findAll({ raw: true }),
    ]
  }),
  'upserts with a condition of the conflict': async (Sequelize, sequelize, DataTypes) => {
    const Thing = sequelize.define(
      'thing',
      { code: DataTypes.STRING, live: DataTypes.BOOLEAN, n: DataTypes.INTEGER },
      { timestamps: false, indexes: [{ unique: true, fields: ['code'], where: { live: true } }] },
    )
    await Thing.sync()
    await Thing.create({ code: 'a', live: true, n: 1 })
    return [
      await Thing.upsert({ code: 'a', live: true, n: 2 }, { conflictFields: ['code'], conflictWhere: { live: true } }),
      await Thing.findAll({ raw: true, order: ['id'] }),
    ]
  },
  'fails an upsert': onThings(async ({ Thing, tools }) => {
    await Thing.create({ id: 1, code: 'a' })
    return [await tools.errorOf(Thing.upsert({ id: 2, code: 'a' })), await tools.errorOf(Thing.upsert({ id: 3, size: 'x' }))]
  }),
  'upserts with timestamps and hooks': onThings(
    async ({ Thing, tools }) => {
      tools.watchHooks(Thing, ['beforeUpsert', 'afterUpsert', 'beforeValidate'])
      return [await Thing.upsert({ id: 1, code: 'a' }), await Thing.upsert({ id: 1, code: 'b' }, { hooks: false })]
    },
    { timestamps: true },
  ),
  'upserts in a transaction': onThings(({ Thing, sequelize }) =>
    sequelize.transaction(async transaction => [
      await Thing.upsert({ id: 1, code: 'a' }, { transaction }),
      await Thing.upsert({ id: 1, code: 'b' }, { transaction }),
    ]),
  ),
  'creates a row with chosen options': onThings(async ({ Thing, Sequelize }) => [
    await Thing.create({ code: 'a', name: 'x', size: 9 }, { fields: ['code'] }),
    await Thing.create({ code: 'b' }, { returning: false }),
    await Thing.create({ code: 'c' }, { raw: true }),
    await Thing.create({ code: 'd', size: Sequelize.literal('2 + 3') }),
    await Thing.create({ code: 'a' }, { ignoreDuplicates: true }).catch(error => error),
    await Thing.build({ code: 'e', list: [] }).save(),
  ]),
}
