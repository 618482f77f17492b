import { openBlog } from '../samples/blog.js'

const onBlog = work => async (Sequelize, sequelize, DataTypes, tools) => {
  const models = await openBlog(sequelize, DataTypes, tools)
  return work({ ...models, Op: Sequelize.Op, Sequelize, sequelize, DataTypes, tools })
}

export const cases = {
  'includes a belongsTo': onBlog(({ Post, User }) => Post.findAll({ include: [{ model: User, as: 'author' }], order: ['id'] })),
  'includes a hasOne': onBlog(({ User, Profile }) => User.findAll({ include: Profile, order: ['id'] })),
  'includes a hasMany': onBlog(({ User, Post }) =>
    User.findAll({ include: { model: Post, as: 'posts' }, order: ['id', [{ model: Post, as: 'posts' }, 'id', 'DESC']] }),
  ),
  'includes a belongsToMany with its through row': onBlog(({ Post, Tag }) => Post.findAll({ include: [Tag], order: ['id', [Tag, 'id', 'ASC']] })),
  'includes a belongsToMany without its through row': onBlog(({ Tag, Post }) =>
    Tag.findAll({ include: [{ model: Post, through: { attributes: [] } }], order: ['id', [Post, 'id', 'ASC']] }),
  ),
  'includes through rows by a condition': onBlog(({ Post, Tag, Op }) =>
    Post.findAll({ include: [{ model: Tag, through: { where: { weight: { [Op.gt]: 15 } }, attributes: ['weight'], as: 'link' } }], order: ['id'] }),
  ),
  'includes what is included': onBlog(({ User, Post, Comment, Tag }) =>
    User.findAll({
      include: [{ model: Post, as: 'posts', include: [{ model: Comment, include: [{ model: User, as: 'writer', attributes: ['name'] }] }, Tag] }],
      order: ['id', ['posts', 'id', 'ASC'], ['posts', Comment, 'id', 'ASC'], ['posts', Tag, 'id', 'ASC']],
    }),
  ),
  'includes only rows that have the other': onBlog(async ({ User, Post, Op }) => [
    await User.findAll({ include: [{ model: Post, as: 'posts', required: true, where: { score: { [Op.gt]: 4 } } }], order: ['id'] }),
    await User.findAll({ include: [{ model: Post, as: 'posts', required: false, where: { score: { [Op.gt]: 4 } } }], order: ['id'] }),
    await User.findAll({
      include: [{ model: Post, as: 'posts', required: false, right: true }],
      order: [
        ['id', 'ASC'],
        ['posts', 'id', 'ASC'],
      ],
    }),
  ]),
  'includes rows by separate queries': onBlog(({ User, Post, Comment, tools }) => {
    tools.ignoreLogOrder()
    return User.findAll({
      include: [
        { model: Post, as: 'posts', separate: true, order: [['id', 'DESC']], limit: 1, include: [{ model: Comment, separate: true, order: ['id'] }] },
      ],
      order: ['id'],
    })
  }),
  'includes with limit and order': onBlog(async ({ User, Post }) => [
    await User.findAll({
      include: [{ model: Post, as: 'posts' }],
      limit: 2,
      order: [
        ['name', 'ASC'],
        ['id', 'ASC'],
      ],
      subQuery: true,
    }),
    await Post.findAll({ include: [{ model: User, as: 'author' }], order: [[{ model: User, as: 'author' }, 'name', 'DESC'], 'id'], limit: 2 }),
    await User.findAll({ include: [{ model: Post, as: 'posts' }], limit: 3, subQuery: false, order: ['id', ['posts', 'id', 'ASC']] }),
  ]),
  'includes by association and by name': onBlog(async ({ User, Post }) => [
    await User.findByPk(1, { include: User.associations.profile }),
    await User.findByPk(1, { include: ['profile', { association: 'posts' }], order: [['posts', 'id', 'ASC']] }),
    await Post.findByPk(1, { include: { all: true } }),
  ]),
  'includes all associations, nested': onBlog(({ User }) => User.findByPk(2, { include: { all: true, nested: true } })),
  'filters by a column of an include': onBlog(async ({ User, Post, Op }) => [
    await User.findAll({ include: [{ model: Post, as: 'posts' }], where: { '$posts.score$': { [Op.gte]: 5 } }, order: ['id'] }),
    await Post.findAll({ include: [{ model: User, as: 'author' }], where: { '$author.name$': 'Ada' }, order: ['id'] }),
  ]),
  'counts and aggregates over includes': onBlog(({ User, Post, Sequelize }) =>
    User.findAll({
      attributes: ['id', [Sequelize.fn('COUNT', Sequelize.col('posts.id')), 'n']],
      include: [{ model: Post, as: 'posts', attributes: [] }],
      group: ['user.id'],
      order: ['id'],
      raw: true,
    }),
  ),
  'includes a scope': onBlog(({ Post, User }) => Post.findAll({ include: [{ model: User.scope('active'), as: 'author' }], order: ['id'] })),
  'creates rows with what they include': onBlog(async ({ User, Post, Profile, Tag }) => {
    const user = await User.create(
      { id: 10, name: 'Eve', profile: { id: 10, bio: 'b' }, posts: [{ id: 10, title: 'P', tags: [{ id: 10, label: 'new' }] }] },
      { include: [Profile, { model: Post, as: 'posts', include: [Tag] }] },
    )
    const post = await Post.create({ id: 11, title: 'Q', author: { id: 11, name: 'Fay' } }, { include: [{ model: User, as: 'author' }] })
    return [user, post]
  }),
  'uses the mixins of hasMany': onBlog(async ({ User, Post }) => {
    const user = await User.findByPk(1)
    const post = await Post.findByPk(3)
    return [
      await user.getPosts({ order: ['id'] }),
      await user.countPosts(),
      await user.hasPost(post),
      await user.addPost(post),
      await user.hasPosts([post]),
      await user.createPost({ id: 10, title: 'made' }),
      await user.removePost(post),
      await user.setPosts([post]),
      await user.getPosts({ raw: true, where: { title: 'Three' } }),
    ]
  }),
  'uses the mixins of belongsTo and hasOne': onBlog(async ({ User, Post }) => {
    const post = await Post.findByPk(3)
    const user = await User.findByPk(4)
    return [
      await post.getAuthor(),
      await post.setAuthor(user),
      await post.setAuthor(null),
      await post.createAuthor({ id: 10, name: 'made' }),
      await user.getProfile(),
      await user.createProfile({ id: 10, bio: 'made' }),
      await user.setProfile(null),
      post,
    ]
  }),
  'uses the mixins of belongsToMany': onBlog(async ({ Post, Tag }) => {
    const post = await Post.findByPk(2)
    const [red, blue] = await Tag.findAll({ order: ['id'] })
    return [
      await post.addTag(red, { through: { weight: 1 } }),
      await post.addTags([red, blue]),
      await post.getTags({ order: ['id'], joinTableAttributes: ['weight'] }),
      await post.countTags(),
      await post.hasTags([red, blue]),
      await post.setTags([blue], { through: { weight: 9 } }),
      await post.removeTag(blue),
      await post.createTag({ id: 10, label: 'made' }),
      await post.getTags(),
    ]
  }),
  'associates a model with itself': async (Sequelize, sequelize, DataTypes) => {
    const Node = sequelize.define('node', { name: DataTypes.STRING }, { timestamps: false })
    Node.belongsTo(Node, { as: 'parent' })
    Node.hasMany(Node, { as: 'children', foreignKey: 'parentId' })
    Node.belongsToMany(Node, { as: 'friends', through: 'friendships' })
    await sequelize.sync()
    const root = await Node.create({ name: 'root' })
    const child = await root.createChild({ name: 'child' })
    await child.addFriend(root)
    return Node.findAll({ include: ['parent', 'children', 'friends'], order: ['id'] })
  },
  'associates by other keys': async (Sequelize, sequelize, DataTypes) => {
    const Team = sequelize.define('team', { code: { type: DataTypes.STRING, unique: true } }, { timestamps: false })
    const Player = sequelize.define('player', { name: DataTypes.STRING }, { timestamps: false })
    Team.hasMany(Player, { sourceKey: 'code', foreignKey: { name: 'teamCode', allowNull: false } })
    Player.belongsTo(Team, { targetKey: 'code', foreignKey: 'teamCode' })
    await sequelize.sync()
    await Team.create({ code: 'x', players: [{ name: 'a' }] }, { include: [Player] })
    return [await Player.findAll({ include: Team }), await Team.findOne({ include: Player })]
  },
  'deletes what depends on a row': onBlog(async ({ User, Post, Comment }) => {
    const user = await User.findByPk(2)
    await user.setProfile(null)
    await user.destroy()
    return [await Post.findAll({ raw: true, order: ['id'] }), await Comment.findAll({ raw: true, order: ['id'] })]
  }),
  'includes with polymorphic scopes': async (Sequelize, sequelize, DataTypes) => {
    const Image = sequelize.define('image', { title: DataTypes.STRING }, { timestamps: false })
    const Note = sequelize.define('note', { text: DataTypes.STRING, onId: DataTypes.INTEGER, onType: DataTypes.STRING }, { timestamps: false })
    Image.hasMany(Note, { foreignKey: 'onId', constraints: false, scope: { onType: 'image' } })
    await sequelize.sync()
    const image = await Image.create({ title: 'i' })
    await image.createNote({ text: 'scoped' })
    await Note.create({ text: 'other', onId: image.id, onType: 'video' })
    return [await Image.findAll({ include: Note }), await image.getNotes()]
  },
}
