/** Models of a blog, with every kind of association, as Sequelize's manual builds them. */
export function defineBlog(sequelize, DataTypes, options = {}) {
  const define = (name, attributes, more = {}) => sequelize.define(name, attributes, { timestamps: false, ...options, ...more })
  const User = define(
    'user',
    {
      name: { type: DataTypes.STRING, allowNull: false },
      email: { type: DataTypes.STRING, unique: true },
      age: DataTypes.INTEGER,
      active: { type: DataTypes.BOOLEAN, defaultValue: true },
      joined: DataTypes.DATE,
    },
    { scopes: { active: { where: { active: true } }, older: age => ({ where: { age: { [sequelize.Sequelize.Op.gt]: age } } }) } },
  )
  const Profile = define('profile', { bio: DataTypes.TEXT, settings: DataTypes.JSONB })
  const Post = define('post', { title: DataTypes.STRING, score: { type: DataTypes.INTEGER, defaultValue: 0 }, day: DataTypes.DATEONLY })
  const Comment = define('comment', { text: DataTypes.TEXT })
  const Tag = define('tag', { label: { type: DataTypes.STRING, unique: true } })
  const PostTag = define('postTag', { weight: DataTypes.INTEGER })
  User.hasOne(Profile)
  Profile.belongsTo(User)
  User.hasMany(Post, { as: 'posts', foreignKey: 'authorId', onDelete: 'CASCADE' })
  Post.belongsTo(User, { as: 'author', foreignKey: 'authorId' })
  Post.hasMany(Comment, { onDelete: 'CASCADE' })
  Comment.belongsTo(Post)
  Comment.belongsTo(User, { as: 'writer' })
  Post.belongsToMany(Tag, { through: PostTag })
  Tag.belongsToMany(Post, { through: PostTag })
  return { User, Profile, Post, Comment, Tag, PostTag }
}

const TABLES = `
CREATE TABLE users (id serial PRIMARY KEY, name varchar(255) NOT NULL, email varchar(255) UNIQUE, age int, active bool DEFAULT true, joined timestamptz);
CREATE TABLE profiles (id serial PRIMARY KEY, bio text, settings jsonb, "userId" int REFERENCES users ON DELETE SET NULL ON UPDATE CASCADE);
CREATE TABLE posts (id serial PRIMARY KEY, title varchar(255), score int DEFAULT 0, day date,
  "authorId" int REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE comments (id serial PRIMARY KEY, text text, "postId" int REFERENCES posts ON DELETE CASCADE ON UPDATE CASCADE,
  "writerId" int REFERENCES users ON DELETE SET NULL ON UPDATE CASCADE);
CREATE TABLE tags (id serial PRIMARY KEY, label varchar(255) UNIQUE);
CREATE TABLE "postTags" (weight int, "postId" int REFERENCES posts ON DELETE CASCADE ON UPDATE CASCADE,
  "tagId" int REFERENCES tags ON DELETE CASCADE ON UPDATE CASCADE, PRIMARY KEY ("postId", "tagId"));
INSERT INTO users VALUES
  (1, 'Ada', 'ada@example.com', 36, true, '2024-01-01 12:00+00'), (2, 'Bob', 'bob@example.com', 41, false, '2024-01-02 12:00+00'),
  (3, 'Cyd', NULL, NULL, true, NULL), (4, 'ada', 'ada2@example.com', 36, true, '2024-01-04 12:00+00');
INSERT INTO profiles VALUES (1, 'first', '{"theme": "dark", "tags": ["x", "y"], "depth": {"level": 2}}', 1), (2, NULL, NULL, 2);
INSERT INTO posts VALUES (1, 'One', 5, '2024-01-01', 1), (2, 'Two', 3, '2024-01-02', 1), (3, 'Three', 9, NULL, 2);
INSERT INTO comments VALUES (1, 'yes', 1, 2), (2, 'no', 1, 1), (3, 'maybe', 3, NULL);
INSERT INTO tags VALUES (1, 'red'), (2, 'blue'), (3, 'unused');
INSERT INTO "postTags" VALUES (10, 1, 1), (20, 1, 2), (30, 3, 1)`

/** The blog with tables and rows that were there before. */
export async function openBlog(sequelize, DataTypes, tools) {
  await tools.plain(TABLES)
  return defineBlog(sequelize, DataTypes)
}

/** The blog with tables and rows that the instance makes itself. */
export async function makeBlog(sequelize, DataTypes, options) {
  const models = defineBlog(sequelize, DataTypes, options)
  const { User, Profile, Post, Comment, Tag, PostTag } = models
  await sequelize.sync()
  await User.bulkCreate([
    { id: 1, name: 'Ada', email: 'ada@example.com', age: 36, joined: new Date(0) },
    { id: 2, name: 'Bob', email: 'bob@example.com', age: 41, active: false, joined: new Date(1e12) },
    { id: 3, name: 'Cyd', email: null, age: null, joined: null },
  ])
  await Profile.bulkCreate([{ id: 1, bio: 'first', settings: { theme: 'dark' }, userId: 1 }])
  await Post.bulkCreate([
    { id: 1, title: 'One', score: 5, day: '2024-01-01', authorId: 1 },
    { id: 2, title: 'Two', score: 3, day: null, authorId: 2 },
  ])
  await Comment.bulkCreate([{ id: 1, text: 'yes', postId: 1, writerId: 2 }])
  await Tag.bulkCreate([{ id: 1, label: 'red' }])
  await PostTag.bulkCreate([{ postId: 1, tagId: 1, weight: 10 }])
  return models
}
