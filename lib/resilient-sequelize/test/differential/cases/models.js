import { openBlog } from '../samples/blog.js'

const onBlog = work => async (Sequelize, sequelize, DataTypes, tools) => {
  const models = await openBlog(sequelize, DataTypes, tools)
  return work({ ...models, Op: Sequelize.Op, Sequelize, sequelize, DataTypes, tools })
}

/** A model whose rows are marked as deleted. */
async function openNotes(sequelize, DataTypes, options = {}) {
  const Note = sequelize.define('note', { text: DataTypes.STRING }, { paranoid: true, ...options })
  await Note.sync()
  await Note.bulkCreate([{ text: 'a' }, { text: 'b' }, { text: 'c' }])
  return Note
}

/** A model with many validators. */
function definePerson(sequelize, DataTypes) {
  return sequelize.define(
    'person',
    {
      name: { type: DataTypes.STRING, allowNull: false, validate: { notEmpty: true, len: { args: [2, 10], msg: 'name has 2 to 10 letters' } } },
      email: { type: DataTypes.STRING, validate: { isEmail: true } },
      age: { type: DataTypes.INTEGER, validate: { min: 0, max: 150, isInt: true } },
      kind: { type: DataTypes.STRING, validate: { isIn: [['a', 'b']], not: /x/ } },
      even: {
        type: DataTypes.INTEGER,
        validate: {
          isEven(value) {
            if (value % 2 !== 0) throw new Error('has to be even')
          },
        },
      },
    },
    {
      timestamps: false,
      validate: {
        nameIsNotEmail() {
          if (this.name === this.email) throw new Error('name and email are the same')
        },
      },
    },
  )
}

export const cases = {
  'applies scopes': onBlog(async ({ User, Op }) => {
    User.addScope('named', { where: { name: { [Op.iLike]: 'a%' } }, attributes: ['id', 'name'] })
    return [
      await User.scope('active').findAll({ order: ['id'], raw: true }),
      await User.scope('active', { method: ['older', 30] }).findAll({ order: ['id'], raw: true }),
      await User.scope('named', 'active').findAll({ order: ['id'] }),
      await User.scope(['active', 'named']).count(),
      await User.scope('active').update({ age: 1 }, { where: { id: [1, 2] } }),
      await User.scope('named').destroy({ where: { id: 4 } }),
    ]
  }),
  'applies and removes a default scope': async (Sequelize, sequelize, DataTypes, tools) => {
    const Thing = sequelize.define('thing', { live: DataTypes.BOOLEAN }, { timestamps: false, defaultScope: { where: { live: true } } })
    await Thing.sync()
    await Thing.bulkCreate([{ live: true }, { live: false }])
    return [
      await Thing.findAll(),
      await Thing.unscoped().findAll({ order: ['id'] }),
      await Thing.scope(null).count(),
      await Thing.findByPk(2),
      await tools.errorOf(() => Thing.scope('missing')),
    ]
  },
  'marks rows as deleted and restores them': async (Sequelize, sequelize, DataTypes) => {
    const Note = await openNotes(sequelize, DataTypes)
    const note = await Note.findByPk(1)
    return [
      await note.destroy(),
      note.isSoftDeleted(),
      await Note.destroy({ where: { id: 2 } }),
      await Note.findAll({ raw: true }),
      await Note.findAll({ paranoid: false, order: ['id'] }),
      await note.restore(),
      await Note.restore({ where: { id: 2 } }),
      await Note.count(),
      await note.destroy({ force: true }),
      await Note.destroy({ where: {}, force: true }),
      await Note.count({ paranoid: false }),
    ]
  },
  'includes rows marked as deleted': async (Sequelize, sequelize, DataTypes) => {
    const Note = await openNotes(sequelize, DataTypes, { deletedAt: 'removed' })
    const Folder = sequelize.define('folder', {}, { timestamps: false })
    Folder.hasMany(Note)
    await sequelize.sync({ alter: true })
    const folder = await Folder.create({})
    await folder.addNotes(await Note.findAll())
    await Note.destroy({ where: { id: 1 } })
    return [
      await Folder.findOne({ include: [Note] }),
      await Folder.findOne({ include: [{ model: Note, paranoid: false }], order: [[Note, 'id', 'ASC']] }),
    ]
  },
  'computes virtual attributes, getters and setters': async (Sequelize, sequelize, DataTypes) => {
    const Person = sequelize.define(
      'person',
      {
        first: {
          type: DataTypes.STRING,
          get() {
            const value = this.getDataValue('first')
            return value ? value.toUpperCase() : value
          },
        },
        secret: {
          type: DataTypes.STRING,
          set(value) {
            this.setDataValue('secret', [...value].reverse().join(''))
          },
        },
        full: {
          type: new DataTypes.VIRTUAL(DataTypes.STRING, ['first']),
          get() {
            return `${this.first}!`
          },
          set() {
            throw new Error('full is computed')
          },
        },
        count: DataTypes.VIRTUAL,
      },
      { timestamps: false, getterMethods: { shout: () => 'method' } },
    )
    await Person.sync()
    const person = await Person.create({ first: 'ada', secret: 'abc', count: 3 })
    const found = await Person.findOne({ attributes: ['full', 'secret'] })
    return [
      person,
      person.get(),
      person.toJSON(),
      person.full,
      person.shout,
      found,
      found.full,
      await Person.findAll({ attributes: { include: [['first', 'alias']] } }),
      await Person.findAll({ raw: true }),
    ]
  },
  'refuses a setter that throws': async (Sequelize, sequelize, DataTypes, tools) => {
    const Thing = sequelize.define('thing', {
      name: {
        type: DataTypes.STRING,
        set() {
          throw new TypeError('never set')
        },
      },
    })
    await Thing.sync()
    return [await tools.errorOf(() => Thing.build({ name: 'x' })), await tools.errorOf(Thing.create({ name: 'x' }))]
  },
  'validates attributes': async (Sequelize, sequelize, DataTypes, tools) => {
    const Person = definePerson(sequelize, DataTypes)
    await Person.sync()
    const bad = [
      {},
      { name: '' },
      { name: 'x' },
      { name: 'Ada', email: 'no' },
      { name: 'Ada', age: -1 },
      { name: 'Ada', age: 'many' },
      { name: 'Ada', kind: 'x' },
      { name: 'Ada', even: 3 },
      { name: 'a@b.cd', email: 'a@b.cd' },
      { name: null, email: 'no', age: 200 },
    ]
    const errors = []
    for (const values of bad) errors.push(await tools.errorOf(Person.create(values)))
    return [errors, await Person.create({ name: 'Ada', email: 'a@b.cd', age: 3, kind: 'a', even: 2 })]
  },
  'validates updates, bulk rows and single fields': async (Sequelize, sequelize, DataTypes, tools) => {
    const Person = definePerson(sequelize, DataTypes)
    await Person.sync()
    const person = await Person.create({ name: 'Ada' })
    return [
      await tools.errorOf(person.update({ age: -1 })),
      await tools.errorOf(Person.update({ age: -1 }, { where: { id: 1 } })),
      await tools.errorOf(Person.bulkCreate([{ name: 'Bob' }, { name: 'x' }], { validate: true })),
      await Person.bulkCreate([{ name: 'x' }]),
      await person.validate({ fields: ['name'] }),
      await person.save({ validate: false }),
      await tools.errorOf(Person.build({ name: 'Ada', email: 'no' }).validate()),
      await Person.findAll({ raw: true, order: ['id'] }),
    ]
  },
  'reports a unique value with its own message': async (Sequelize, sequelize, DataTypes, tools) => {
    const Thing = sequelize.define(
      'thing',
      { code: { type: DataTypes.STRING, unique: { name: 'own_code', msg: 'this code is taken' } }, a: DataTypes.INTEGER, b: DataTypes.INTEGER },
      { timestamps: false, indexes: [{ unique: true, fields: ['a', 'b'] }] },
    )
    await Thing.sync()
    await Thing.create({ code: 'x', a: 1, b: 2 })
    return [
      await tools.errorOf(Thing.create({ code: 'x' })),
      await tools.errorOf(Thing.create({ code: 'y', a: 1, b: 2 })),
      await tools.errorOf(Thing.create({ id: 1 })),
    ]
  },
  'tells what changed': onBlog(async ({ User }) => {
    const user = await User.findByPk(1)
    const seen = [user.changed(), user.changed('name')]
    user.name = 'Ada'
    seen.push(user.changed())
    user.set({ name: 'New', age: 37 })
    seen.push(user.changed(), user.changed('name'), user.previous('name'), user.previous())
    await user.save({ fields: ['name'] })
    seen.push(user.changed(), user.previous('name'))
    user.changed('email', true)
    seen.push(user.changed())
    await user.save()
    seen.push(await user.save(), user)
    return seen
  }),
  'reloads an instance': onBlog(async ({ User, Post, tools }) => {
    const user = await User.findByPk(1, { include: [{ model: Post, as: 'posts' }], order: [['posts', 'id', 'ASC']] })
    await User.update({ name: 'Changed' }, { where: { id: 1 } })
    const before = user.name
    const reloaded = await user.reload()
    const same = reloaded === user
    await reloaded.reload({ attributes: ['age'] })
    await User.destroy({ where: { id: 3 } })
    const gone = await tools.errorOf(User.build({ id: 3 }, { isNewRecord: false }).reload())
    return [before, same, reloaded, gone]
  }),
  'updates and saves an instance': onBlog(async ({ User, tools }) => {
    tools.watchHooks(User, ['beforeValidate', 'afterValidate', 'beforeSave', 'beforeUpdate', 'afterUpdate', 'afterSave'])
    const user = await User.findByPk(1)
    return [
      await user.update({ age: 50, email: null }),
      await user.update({ age: 51, name: 'Ignored' }, { fields: ['age'] }),
      await user.update({ age: 51 }),
      await User.update({ age: 52 }, { where: { id: 1 }, returning: true }),
      await User.update({ age: 53 }, { where: { id: [1, 2] }, returning: ['id', 'age'] }),
      await User.update({ age: 54 }, { where: { id: 99 } }),
      await User.update({ age: 55 }, { where: { id: 1 }, individualHooks: true }),
    ]
  }),
  'deletes rows': onBlog(async ({ Comment, tools }) => {
    const comment = await Comment.findByPk(1)
    return [
      await comment.destroy(),
      await comment.destroy(),
      await Comment.destroy({ where: { id: [2, 99] } }),
      await tools.errorOf(() => Comment.destroy({})),
      await Comment.destroy({ where: {}, limit: 1 }),
      await Comment.count(),
    ]
  }),
  'converts instances to JSON': onBlog(async ({ User, Post }) => {
    const user = await User.findByPk(1, {
      include: ['profile', { model: Post, as: 'posts', include: ['tags'] }],
      order: [
        ['posts', 'id', 'ASC'],
        ['posts', 'tags', 'id', 'ASC'],
      ],
    })
    return [user.toJSON(), JSON.stringify(user), user.get({ plain: true }), user.get('posts'), user.posts[0].get('tags')[0].postTag]
  }),
  'compares and copies instances': onBlog(async ({ User }) => {
    const [one, same, other] = [await User.findByPk(1), await User.findByPk(1), await User.findByPk(2)]
    return [
      one.equals(same),
      one.equals(other),
      one.equalsOneOf([other, same]),
      User.build(one.get()),
      one instanceof User,
      one.constructor === User,
      one.sequelize === User.sequelize,
      one.where(),
    ]
  }),
  'increments and decrements an instance': onBlog(async ({ Post }) => {
    const post = await Post.findByPk(1)
    return [
      await post.increment('score'),
      await post.increment(['score'], { by: 3 }),
      await post.increment({ score: 10 }),
      await post.decrement('score', { by: 2 }),
      post,
      await post.reload(),
    ]
  }),
  'increments and decrements rows': onBlog(async ({ Post }) => [
    await Post.increment('score', { where: { authorId: 1 } }),
    await Post.increment({ score: 5, authorId: 0 }, { where: { id: 3 } }),
    await Post.decrement(['score'], { by: 2, where: { id: [1, 2] } }),
    await Post.increment('score', { where: { id: 99 } }),
    await Post.findAll({ raw: true, order: ['id'] }),
  ]),
  'locks optimistically by version': async (Sequelize, sequelize, DataTypes, tools) => {
    const Thing = sequelize.define('thing', { name: DataTypes.STRING }, { version: true, timestamps: false })
    await Thing.sync()
    const one = await Thing.create({ name: 'a' })
    const same = await Thing.findByPk(one.id)
    await one.update({ name: 'b' })
    const stale = await tools.errorOf(same.update({ name: 'c' }))
    return [one, same, stale, await Thing.update({ name: 'd' }, { where: { id: one.id } }), await one.reload(), await Thing.findAll()]
  },
  'locks optimistically by a named column': async (Sequelize, sequelize, DataTypes) => {
    const Thing = sequelize.define('thing', { name: DataTypes.STRING }, { version: 'revision', underscored: true })
    await Thing.sync()
    const thing = await Thing.create({ name: 'a' })
    await thing.update({ name: 'b' })
    await thing.increment('revision')
    return [thing, await Thing.findOne(), await Thing.bulkCreate([{ name: 'x' }])]
  },
  'keeps timestamps under their names': async (Sequelize, sequelize, DataTypes) => {
    const Thing = sequelize.define('thing', { name: DataTypes.STRING }, { createdAt: 'made', updatedAt: false })
    const Silent = sequelize.define('silent', { name: DataTypes.STRING })
    await sequelize.sync()
    const thing = await Thing.create({ name: 'a' })
    const silent = await Silent.create({ name: 'a', createdAt: new Date(0), updatedAt: new Date(0) }, { silent: true })
    await silent.update({ name: 'b' }, { silent: true })
    return [await thing.update({ name: 'b' }), silent, await silent.update({ name: 'c' })]
  },
  'defines models as classes': async (Sequelize, sequelize, DataTypes, tools) => {
    class Animal extends Sequelize.Model {
      static strongest() {
        return this.findOne({ order: [['power', 'DESC']] })
      }
      get loud() {
        return `${this.name}!`
      }
    }
    Animal.init(
      { name: DataTypes.STRING, power: { type: DataTypes.INTEGER, field: 'power_level' } },
      { sequelize, modelName: 'animal', timestamps: false },
    )
    await Animal.sync()
    await Animal.bulkCreate([
      { name: 'cat', power: 1 },
      { name: 'dog', power: 2 },
    ])
    const strongest = await Animal.strongest()
    return [
      strongest,
      strongest.loud,
      strongest instanceof Animal,
      sequelize.models.animal === Animal,
      sequelize.isDefined('animal'),
      await tools.errorOf(() => sequelize.model('plant')),
      Animal.getTableName(),
      Object.keys(Animal.getAttributes()),
    ]
  },
  'writes and reads columns under other names': async (Sequelize, sequelize, DataTypes) => {
    const { Op } = Sequelize
    const Thing = sequelize.define(
      'Thing',
      { someName: { type: DataTypes.STRING, field: 'c_name' }, size: { type: DataTypes.INTEGER, field: 'select' } },
      { underscored: true, tableName: 'odd "table"' },
    )
    await Thing.sync()
    await Thing.create({ someName: 'a', size: 1 })
    await Thing.update({ size: 2 }, { where: { someName: { [Op.eq]: 'a' } } })
    return [
      await Thing.findAll({ order: [['someName', 'ASC']] }),
      await Thing.sum('size'),
      await Thing.findAll({ raw: true, attributes: ['someName'] }),
    ]
  },
}
