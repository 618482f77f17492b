const onInterface = work => (Sequelize, sequelize, DataTypes, tools) =>
  work({ q: sequelize.getQueryInterface(), Sequelize, sequelize, DataTypes, tools })

const columns = ({ DataTypes }) => ({
  id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
  name: { type: DataTypes.STRING(40), allowNull: false, defaultValue: "o'neil" },
  kind: DataTypes.ENUM('a', 'b'),
  flag: { type: DataTypes.BOOLEAN, defaultValue: false },
  price: DataTypes.DECIMAL(10, 2),
  at: { type: DataTypes.DATE, comment: 'when' },
  list: DataTypes.ARRAY(DataTypes.INTEGER),
})

/** A case with a table that was made through the query interface. */
const onTable = work =>
  onInterface(async parts => {
    await parts.q.createTable('things', columns(parts))
    return work(parts)
  })

export const cases = {
  'creates and describes a table': onTable(async ({ q }) => [
    await q.describeTable('things'),
    await q.showAllTables(),
    await q.tableExists('things'),
    await q.tableExists('none'),
  ]),
  'creates a table twice': onTable(({ q, ...rest }) => q.createTable('things', columns(rest))),
  'creates a table with keys and references': onTable(async ({ q, DataTypes }) => {
    await q.createTable(
      'parts',
      {
        one: { type: DataTypes.INTEGER, primaryKey: true },
        two: { type: DataTypes.INTEGER, primaryKey: true },
        thingId: { type: DataTypes.INTEGER, references: { model: 'things', key: 'id' }, onDelete: 'SET NULL', onUpdate: 'CASCADE' },
        code: { type: DataTypes.STRING, unique: true },
      },
      { uniqueKeys: { both: { fields: ['one', 'code'] } }, comment: 'of things' },
    )
    return [await q.describeTable('parts'), await q.getForeignKeyReferencesForTable('parts'), await q.getForeignKeysForTables(['parts'])]
  }),
  'adds, changes, renames and removes columns': onTable(async ({ q, DataTypes }) => [
    await q.addColumn('things', 'size', { type: DataTypes.INTEGER, defaultValue: 5, allowNull: false }),
    await q.addColumn('things', 'mood', DataTypes.ENUM('x', 'y')),
    await q.changeColumn('things', 'size', { type: DataTypes.BIGINT, allowNull: true, defaultValue: null }),
    await q.changeColumn('things', 'name', { type: DataTypes.TEXT, unique: true }),
    await q.renameColumn('things', 'price', 'cost'),
    await q.removeColumn('things', 'flag'),
    await q.describeTable('things'),
  ]),
  'changes a column to an enum': onTable(async ({ q, DataTypes }) => [
    await q.changeColumn('things', 'kind', { type: DataTypes.ENUM('a', 'b', 'c') }),
    await q.describeTable('things'),
  ]),
  'renames and drops tables': onTable(async ({ q }) => [
    await q.renameTable('things', 'others'),
    await q.showAllTables(),
    await q.dropTable('others'),
    await q.dropTable('none'),
    await q.showAllTables(),
  ]),
  'adds, shows and removes indexes': onTable(async ({ q, Sequelize }) => [
    await q.addIndex('things', ['name']),
    await q.addIndex('things', { fields: ['kind', 'flag'], unique: true, name: 'both', where: { flag: true } }),
    await q.addIndex('things', { fields: [{ name: 'name', order: 'DESC' }], using: 'BTREE', name: 'backwards' }),
    await q.addIndex('things', { fields: [Sequelize.fn('lower', Sequelize.col('name'))], name: 'lowered' }),
    await q.addIndex('things', { fields: ['list'], using: 'gin', concurrently: true, name: 'listed' }),
    await q.showIndex('things'),
    await q.removeIndex('things', 'both'),
    await q.removeIndex('things', ['name']),
    (await q.showIndex('things')).map(({ name }) => name),
  ]),
  'adds, shows and removes constraints': onTable(async ({ q, Sequelize, DataTypes }) => {
    await q.addColumn('things', 'parentId', DataTypes.INTEGER)
    return [
      await q.addConstraint('things', { type: 'unique', fields: ['name', 'kind'], name: 'name_and_kind' }),
      await q.addConstraint('things', { type: 'check', fields: ['price'], name: 'priced', where: { price: { [Sequelize.Op.gt]: 0 } } }),
      await q.addConstraint('things', {
        type: 'foreign key',
        fields: ['parentId'],
        name: 'of_parent',
        references: { table: 'things', field: 'id' },
        onDelete: 'cascade',
      }),
      await q.showConstraint('things'),
      await q.removeConstraint('things', 'priced'),
      (await q.showConstraint('things')).map(({ constraintName }) => constraintName).sort(),
    ]
  }),
  'fails for what does not exist': onInterface(async ({ q, DataTypes, tools }) => [
    await tools.errorOf(q.describeTable('none')),
    await tools.errorOf(q.addColumn('none', 'a', DataTypes.INTEGER)),
    await tools.errorOf(q.removeColumn('none', 'a')),
    await tools.errorOf(q.addIndex('none', ['a'])),
    await tools.errorOf(q.removeConstraint('none', 'a')),
    await q.removeIndex('none', 'a').catch(error => error),
    await tools.errorOf(q.renameTable('none', 'other')),
    await tools.errorOf(q.sequelize.query('DROP INDEX none')),
    await tools.errorOf(() => q.createTable('x', { a: { type: 'nonsense' } })),
  ]),
  'inserts, updates and deletes rows in bulk': onTable(async ({ q, Sequelize, DataTypes }) => [
    await q.bulkInsert('things', [
      { name: 'a', kind: 'a', at: new Date(0) },
      { name: 'b', kind: 'b', at: null },
    ]),
    await q.bulkInsert(
      'things',
      [{ name: 'c', list: [1, 2] }],
      { returning: true },
      { list: { field: 'list', type: new DataTypes.ARRAY(DataTypes.INTEGER) } },
    ),
    await q.bulkUpdate('things', { name: 'x' }, { kind: 'a' }),
    await q.bulkUpdate('things', { price: 3 }, { id: { [Sequelize.Op.gt]: 1 } }),
    await q.bulkDelete('things', { name: 'c' }),
    await q.bulkDelete('things', null),
    await q.bulkInsert('things', []).catch(error => error),
  ]),
  'inserts, selects and increments through the interface': onTable(async ({ q, sequelize, DataTypes }) => {
    const Thing = sequelize.define('thing', { name: DataTypes.STRING, price: DataTypes.DECIMAL }, { timestamps: false })
    const thing = Thing.build({ name: 'a', price: 1 })
    return [
      await q.insert(thing, 'things', { name: 'a', price: 1 }),
      await q.select(Thing, 'things', { where: { name: 'a' } }),
      await q.select(null, 'things', { attributes: ['name'] }),
      await q.increment(Thing, 'things', { id: 1 }, { price: 5 }, {}, {}),
      await q.rawSelect(
        'things',
        { attributes: [[sequelize.fn('MAX', sequelize.col('price')), 'most']], dataType: new DataTypes.DECIMAL() },
        'most',
        Thing,
      ),
      await q.delete(thing, 'things', { id: 1 }, {}),
    ]
  }),
  'lists, drops and makes enums': onTable(async ({ q, sequelize, DataTypes }) => {
    const before = await q.pgListEnums()
    const Thing = sequelize.define('other', { mood: DataTypes.ENUM('x', 'y') }, { timestamps: false })
    await Thing.sync()
    const both = await q.pgListEnums()
    await q.dropTable('things')
    await q.dropEnum('enum_things_kind')
    await Thing.drop({})
    return [
      before,
      both,
      await q.pgListEnums(),
      await q.dropAllEnums(),
      await q.sequelize.query('SELECT typname FROM pg_type WHERE typtype = $1', { bind: ['e'], type: 'SELECT' }),
    ]
  }),
  'makes, renames and drops functions': onInterface(async ({ q, sequelize, tools }) => [
    await q.createFunction('add_one', [{ type: 'integer', name: 'given' }], 'integer', 'plpgsql', 'RETURN given + 1;', ['IMMUTABLE', 'STRICT']),
    await sequelize.query('SELECT add_one(4) AS five', { plain: true }),
    await tools.errorOf(q.createFunction('add_one', [{ type: 'integer', name: 'given' }], 'integer', 'plpgsql', 'RETURN given;', [])),
    await q.createFunction('add_one', [{ type: 'integer', name: 'given' }], 'integer', 'plpgsql', 'RETURN given + 2;', [], { force: true }),
    await q.renameFunction('add_one', [{ type: 'integer', name: 'given' }], 'add_two'),
    await sequelize.query('SELECT add_two(4) AS six', { plain: true }),
    await q.dropFunction('add_two', [{ type: 'integer', name: 'given' }]),
    await tools.errorOf(sequelize.query('SELECT add_two(4)')),
    await tools.errorOf(() => q.createFunction('broken')),
  ]),
  'makes and drops triggers': onTable(async ({ q, sequelize }) => {
    await q.createFunction('stamp', [], 'trigger', 'plpgsql', "NEW.name := NEW.name || '!'; RETURN NEW;")
    await sequelize.query('CREATE TRIGGER stamped BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION stamp()')
    await q.bulkInsert('things', [{ name: 'a' }])
    const row = await sequelize.query('SELECT name FROM things', { plain: true })
    await q.renameTrigger('things', 'stamped', 'marked')
    await q.dropTrigger('things', 'marked')
    return row
  }),
  'makes, shows and drops schemas': onInterface(async ({ q, DataTypes, sequelize }) => [
    await q.createSchema('one'),
    await q.createSchema('two'),
    (await q.showAllSchemas()).filter(name => name !== 'extensions').sort(),
    (await sequelize.showAllSchemas()).length,
    await q.createTable('things', { id: { type: DataTypes.INTEGER, primaryKey: true } }, { schema: 'one' }),
    await q.describeTable({ tableName: 'things', schema: 'one' }),
    await q.describeTable('things', { schema: 'one' }),
    await q.addIndex({ tableName: 'things', schema: 'one' }, ['id'], { name: 'idx' }),
    await q.showIndex({ tableName: 'things', schema: 'one' }),
    (await q.showAllTables()).length,
    await q.dropTable({ tableName: 'things', schema: 'one' }),
    await q.dropSchema('one'),
  ]),
  'drops all schemas and tables': onTable(async ({ q, sequelize }) => {
    await q.createSchema('one')
    await q.dropAllTables()
    return [await q.showAllTables(), await sequelize.dropSchema('one'), await q.dropAllTables({ skip: ['x'] })]
  }),
  // Sequelize reads the types of new enums outside of the transaction: that takes a second connection.
  'changes tables in a transaction': onInterface(async ({ DataTypes, tools }) => {
    const sequelize = tools.connect({ pool: { max: 2 } })
    const q = sequelize.getQueryInterface()
    const error = await tools.errorOf(
      sequelize.transaction(async transaction => {
        await q.createTable('things', { id: { type: DataTypes.INTEGER, primaryKey: true }, kind: DataTypes.ENUM('a') }, { transaction })
        await q.addColumn('things', 'name', DataTypes.STRING, { transaction })
        await q.addIndex('things', ['name'], { transaction })
        await q.bulkInsert('things', [{ id: 1 }], { transaction })
        tools.note('inside', await q.describeTable('things', { transaction }))
        throw new Error('back')
      }),
    )
    return [error, await q.showAllTables()]
  }),
  'creates a database that exists': onInterface(async ({ q, tools }) => [
    await tools.errorOf(q.createDatabase(tools.address.database)),
    await q.databaseVersion(),
  ]),
  'changes a table between two reads': onTable(async ({ q, sequelize, DataTypes }) => {
    await q.bulkInsert('things', [{ name: 'a' }])
    const read = () => sequelize.query('SELECT * FROM things', { type: 'SELECT' })
    const seen = [await read()]
    await q.addColumn('things', 'size', { type: DataTypes.INTEGER, defaultValue: 1 })
    seen.push(await read())
    await q.changeColumn('things', 'size', { type: DataTypes.TEXT })
    seen.push(await read())
    await q.removeColumn('things', 'name')
    seen.push(await read())
    return seen
  }),
  'makes a table again between bound statements': onInterface(async ({ sequelize }) => {
    const seen = []
    for (const type of ['int', 'text', 'numeric']) {
      await sequelize.query(`DROP TABLE IF EXISTS things`)
      await sequelize.query(`CREATE TABLE things (n ${type})`)
      await sequelize.query('INSERT INTO things VALUES ($1)', { bind: ['5'] })
      seen.push(await sequelize.query('SELECT * FROM things WHERE n = $1', { bind: ['5'] }))
    }
    return seen
  }),
}
