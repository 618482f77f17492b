import { Buffer } from 'node:buffer'

/**
 * A case that stores values of one type, alone and in arrays, and reads them in each way: an instance, a raw row, a raw
 * query, and after an update.
 */
const keeps =
  (typeOf, values, { array = true, where = true } = {}) =>
  async (Sequelize, sequelize, DataTypes) => {
    const type = typeOf(DataTypes)
    const Thing = sequelize.define(
      'thing',
      {
        id: { type: DataTypes.INTEGER, primaryKey: true },
        value: type,
        ...(array ? { list: DataTypes.ARRAY(type) } : {}),
      },
      { timestamps: false },
    )
    await Thing.sync()
    const created = []
    for (const [index, value] of values.entries())
      created.push(await Thing.create({ id: index, value, ...(array ? { list: [value, ...values.slice(0, 2)] } : {}) }))
    created.push(await Thing.create({ id: 98, value: null, ...(array ? { list: null } : {}) }))
    created.push(await Thing.create({ id: 99, ...(array ? { list: [] } : {}) }))
    const found = await Thing.findAll({ order: ['id'] })
    const raw = await Thing.findAll({ order: ['id'], raw: true })
    const [rows, result] = await sequelize.query('SELECT * FROM things ORDER BY id')
    const matched = where ? await Thing.findAll({ where: { value: values[0] } }) : []
    const [affected] = await Thing.update({ value: values.at(-1) }, { where: { id: 98 } })
    const reloaded = await (await Thing.findByPk(98)).reload()
    return { created, found, raw, rows, fields: result.fields, matched, affected, reloaded }
  }

/** A case that reads the values of SQL expressions, by themselves and in an array. */
const reads =
  (...expressions) =>
  async (Sequelize, sequelize) => {
    const list = expressions.map((expression, index) => `${expression} AS c${index}`).join(', ')
    const lists = expressions.map((expression, index) => `ARRAY[${expression}, NULL] AS l${index}`).join(', ')
    const plain = await sequelize.query(`SELECT ${list}, ${lists}`, { plain: true })
    const [rows, result] = await sequelize.query(`SELECT ${list}, ${lists}`)
    return { plain, rows, types: result.fields.map(({ dataTypeID }) => dataTypeID < 16_384 && dataTypeID) }
  }

const instants = [new Date('2024-02-29T23:59:59.987Z'), new Date('1901-01-01T00:00:00Z'), '2024-07-01T12:30:00+05:30']

/** A case that stores and reads dates in one zone of the process, with one `timezone` of Sequelize. */
const dates = (zone, timezone) => async (Sequelize, _, DataTypes, tools) =>
  tools.inTimeZone(zone, async () => {
    const sequelize = tools.connect(timezone === undefined ? {} : { timezone })
    const Thing = sequelize.define(
      'thing',
      { at: DataTypes.DATE, day: DataTypes.DATEONLY, time: DataTypes.TIME, list: DataTypes.ARRAY(DataTypes.DATE) },
      { timestamps: false },
    )
    await Thing.sync()
    for (const at of instants) await Thing.create({ at, day: at, time: '23:30:00', list: [at, at] })
    await Thing.create({ at: '2024-03-31 02:30:00', day: '2024-03-31' })
    const [rows] = await sequelize.query("SELECT *, at::text AS text, at AT TIME ZONE 'UTC' AS utc, now() - now() AS none FROM things ORDER BY id")
    const shown = await sequelize.query('SHOW TIME ZONE', { plain: true })
    const bound = await sequelize.query('SELECT $1::timestamptz AS a, $2::timestamp AS b, $3::date AS c', {
      bind: [instants[0], '2024-02-29 10:00:00', '2024-02-29'],
      plain: true,
    })
    const replaced = await sequelize.query('SELECT :at::timestamptz AS a, :at::text AS b', { replacements: { at: instants[0] }, plain: true })
    const found = await Thing.findAll({ order: ['id'] })
    const byDate = await Thing.findAll({ where: { at: { [Sequelize.Op.gte]: instants[0] }, day: '2024-02-29' }, raw: true })
    return { rows, shown, bound, replaced, found, byDate, json: JSON.stringify(found) }
  })

// The build's stand-in for moment-timezone has no data of zones: bundled functions write dates in UTC.
const withZones = run => ({ only: { build: 'sources', why: 'the build leaves the data of named zones out' }, run })

export const cases = {
  'keeps STRING': keeps(T => T.STRING, ['plain', '', 'it\'s \\ "quoted" ünï €', 'null', 'a,b{c}', '\n\t']),
  'keeps STRING with a length': keeps(T => T.STRING(20), ['ten chars.', ' padded ']),
  'keeps STRING.BINARY': keeps(T => T.STRING.BINARY, [Buffer.from([0, 255, 10])], { array: false }),
  'keeps TEXT': keeps(T => T.TEXT, ['long '.repeat(2_000), '$1 :name ? %', '🙂']),
  'keeps CITEXT': keeps(T => T.CITEXT, ['MiXeD', 'lower']),
  'keeps CHAR': keeps(T => T.CHAR(5), ['ab', 'abcde']),
  'keeps BOOLEAN': keeps(T => T.BOOLEAN, [true, false]),
  'keeps SMALLINT': keeps(T => T.SMALLINT, [32_767, -32_768, 0]),
  'keeps INTEGER': keeps(T => T.INTEGER, [2_147_483_647, -1, 0]),
  'keeps BIGINT': keeps(T => T.BIGINT, ['9223372036854775807', 9_007_199_254_740_991, -5n, '12']),
  'keeps DECIMAL': keeps(T => T.DECIMAL(20, 5), ['123456789012345.12345', 1.5, 0]),
  'keeps DECIMAL without precision': keeps(T => T.DECIMAL, ['0.00000000000000000001', 'NaN', 1e21]),
  'keeps REAL': keeps(T => T.REAL, [1.5, Number.NaN, Number.POSITIVE_INFINITY, -0.1]),
  'keeps DOUBLE': keeps(T => T.DOUBLE, [Math.PI, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324]),
  'keeps FLOAT': keeps(T => T.FLOAT, [0.1, -1e300]),
  'keeps DATE': keeps(T => T.DATE, [new Date(0), new Date('2024-02-29T23:59:59.999Z'), '2020-01-01 00:00:00+02']),
  'keeps DATE with a precision': keeps(T => T.DATE(3), [new Date(1_700_000_000_123)]),
  'keeps infinite DATE': keeps(T => T.DATE, [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], { array: false }),
  'keeps DATEONLY': keeps(T => T.DATEONLY, ['2024-02-29', '0001-01-01', new Date('2024-06-01T12:00:00Z')]),
  'keeps infinite DATEONLY': keeps(T => T.DATEONLY, [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], { array: false }),
  'keeps TIME': keeps(T => T.TIME, ['23:59:59', '00:00:00.123456']),
  'keeps UUID': keeps(T => T.UUID, ['00000000-0000-4000-8000-00000000abcd']),
  'keeps JSON': keeps(T => T.JSON, [{ a: [1, null, { b: 'ü' }] }, [], 'text', 12, false], { where: false }),
  'keeps JSONB': keeps(T => T.JSONB, [{ z: 1, a: "it's", n: 1e30 }, [1, [2]], 'text', 0, true], { where: false }),
  'keeps BLOB': keeps(T => T.BLOB, [Buffer.from('bytes'), Buffer.alloc(0), Buffer.from([0, 1, 254, 255])]),
  'keeps ENUM': keeps(T => T.ENUM('one', 'two', "thr'ee"), ['one', 'two', "thr'ee"]),
  'keeps CIDR': keeps(T => T.CIDR, ['10.0.0.0/8', '2001:db8::/32']),
  'keeps INET': keeps(T => T.INET, ['127.0.0.1', '10.0.0.0/8', '::1']),
  'keeps MACADDR': keeps(T => T.MACADDR, ['08:00:2b:01:02:03']),
  'keeps TSVECTOR': keeps(T => T.TSVECTOR, ['fat cat rat'], { array: false }),
  'keeps HSTORE': keeps(T => T.HSTORE, [{ a: 'b', 'k"ey': "it's" }, {}]),
  'keeps RANGE of INTEGER': keeps(
    T => T.RANGE(T.INTEGER),
    [
      [1, 10],
      [null, 5],
      [
        { value: 1, inclusive: false },
        { value: 3, inclusive: true },
      ],
      [],
    ],
    { where: false },
  ),
  'keeps RANGE of BIGINT': keeps(
    T => T.RANGE(T.BIGINT),
    [
      ['1', '9007199254740993'],
      [null, null],
    ],
    { where: false },
  ),
  'keeps RANGE of DECIMAL': keeps(
    T => T.RANGE(T.DECIMAL),
    [
      ['1.5', '2.50'],
      [Number.NEGATIVE_INFINITY, 3],
    ],
    { where: false },
  ),
  'keeps RANGE of DATE': keeps(
    T => T.RANGE(T.DATE),
    [
      [new Date(0), new Date(1e12)],
      [new Date(0), null],
      [null, Number.POSITIVE_INFINITY],
    ],
    { where: false },
  ),
  'keeps RANGE of DATEONLY': keeps(
    T => T.RANGE(T.DATEONLY),
    [
      ['2024-01-01', '2024-02-01'],
      [null, '2024-01-01'],
    ],
    { where: false },
  ),
  'keeps ARRAY of ARRAY': keeps(
    T => T.ARRAY(T.ARRAY(T.INTEGER)),
    [
      [
        [1, 2],
        [3, 4],
      ],
      [],
    ],
    { array: false },
  ),
  'keeps GEOMETRY where PostGIS exists': async (Sequelize, sequelize, DataTypes, tools) => {
    const [{ n }] = await tools.plain("SELECT count(*)::int AS n FROM pg_available_extensions WHERE name = 'postgis'")
    if (n === 0) return tools.skip('there is no PostGIS on this server')
    await tools.plain('CREATE EXTENSION IF NOT EXISTS postgis SCHEMA extensions')
    return keeps(T => T.GEOMETRY('POINT'), [{ type: 'Point', coordinates: [1.5, -2] }], { array: false })(Sequelize, sequelize, DataTypes, tools)
  },
  'generates UUIDV1, UUIDV4 and NOW': async (Sequelize, sequelize, DataTypes) => {
    const Thing = sequelize.define('thing', {
      one: { type: DataTypes.UUID, defaultValue: DataTypes.UUIDV1, primaryKey: true },
      four: { type: DataTypes.UUID, defaultValue: DataTypes.UUIDV4 },
      at: { type: DataTypes.DATE, defaultValue: DataTypes.NOW },
      server: { type: DataTypes.DATE, defaultValue: Sequelize.literal('CURRENT_TIMESTAMP') },
      made: { type: DataTypes.INTEGER, defaultValue: () => 7 },
    })
    await Thing.sync()
    const thing = await Thing.create({})
    return [thing, await Thing.findByPk(thing.one), await Thing.bulkCreate([{}, { made: 1 }])]
  },
  'keeps ARRAY of RANGE and of ENUM': async (Sequelize, sequelize, DataTypes) => {
    const Thing = sequelize.define(
      'thing',
      {
        ranges: DataTypes.ARRAY(DataTypes.RANGE(DataTypes.DATE)),
        colours: DataTypes.ARRAY(DataTypes.ENUM('red', 'green', 'light blue')),
      },
      { timestamps: false },
    )
    await Thing.sync()
    await Thing.create({ ranges: [[new Date(0), new Date(1e12)]], colours: ['red', 'light blue'] })
    await Thing.create({ ranges: null, colours: [] })
    const rows = await sequelize.query('SELECT * FROM things ORDER BY id', { type: Sequelize.QueryTypes.SELECT })
    return [await Thing.findAll({ order: ['id'] }), rows, await Thing.findAll({ where: { colours: { [Sequelize.Op.contains]: ['red'] } } })]
  },
  'reads texts of a raw query': reads("'a'::text", "'b'::varchar(3)", "'c'::char(3)", '\'d\'::"char"', "'e'::name", "'f'::citext", "'<a/>'::xml"),
  'reads numbers of a raw query': reads(
    '1::int2',
    '2::int4',
    '3::int8',
    "'4.50'::numeric",
    '5.5::float4',
    "'NaN'::float8",
    "'-Infinity'::float8",
    "'$1,234.50'::money",
    '7::oid',
  ),
  'reads dates of a raw query': reads(
    "'2024-02-29'::date",
    "'infinity'::date",
    "'2024-02-29 10:20:30.123456'::timestamp",
    "'2024-02-29 10:20:30.5+02'::timestamptz",
    "'-infinity'::timestamptz",
    "'10:20'::time",
    "'10:20+02'::timetz",
    "'1 year 2 days 03:04:05.678'::interval",
  ),
  'reads documents of a raw query': reads(
    `'{"b": 1, "a": [null]}'::json`,
    `'{"b": 1, "a": [null]}'::jsonb`,
    "'null'::jsonb",
    "'$.a'::jsonpath",
    "'a=>1, b=>NULL'::hstore",
  ),
  'reads network types of a raw query': reads(
    "'10.0.0.1/8'::inet",
    "'10.0.0.0/8'::cidr",
    "'08:00:2b:01:02:03'::macaddr",
    "'08:00:2b:01:02:03:04:05'::macaddr8",
  ),
  'reads ranges of a raw query': reads(
    "'[1,5)'::int4range",
    "'empty'::int8range",
    "'(1.5,)'::numrange",
    "'[2024-01-01,2024-02-01)'::daterange",
    "'[2024-01-01 00:00+00,)'::tstzrange",
    "'[2024-01-01 00:00,2024-01-02 00:00]'::tsrange",
  ),
  'reads multiranges of a raw query': reads("'{[1,3), [5,7)}'::int4multirange", "'{[2024-01-01,2024-02-01)}'::datemultirange"),
  'reads other types of a raw query': reads(
    'true',
    "'\\x00ff'::bytea",
    "B'101'::bit(3)",
    "B'1'::varbit",
    "'(1,2)'::point",
    "'<(1,2),3>'::circle",
    "'((0,0),(1,1))'::box",
    "'fat cat'::tsvector",
    "'fat & cat'::tsquery",
    "'00000000-0000-4000-8000-00000000abcd'::uuid",
    "'pg_class'::regclass",
    "'1/2'::pg_lsn",
  ),
  'reads rows and void of a raw query': async (Sequelize, sequelize) => {
    const select = { type: Sequelize.QueryTypes.SELECT }
    return [
      await sequelize.query("SELECT row(1, 'a', NULL) AS r, pg_sleep(0) AS v, NULL AS n, ARRAY[]::int[] AS e", select),
      await sequelize.query("SELECT array_agg(row(1, 'a')) AS r, ARRAY[ARRAY[1,2],ARRAY[3,NULL]] AS m, '[0:1]={1,2}'::int[] AS b", select),
    ]
  },
  'reads domains of a raw query': async (Sequelize, sequelize) => {
    await sequelize.query('CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE DOMAIN day AS date; CREATE DOMAIN amount AS numeric(10,2)')
    await sequelize.query('CREATE TABLE things (a positive, b day, c amount, d positive[], e day[])')
    await sequelize.query("INSERT INTO things VALUES (1, '2024-02-29', 1.5, '{1,2}', '{2024-02-29}'), (NULL, NULL, NULL, NULL, NULL)")
    return sequelize.query('SELECT *, a AS again FROM things', { type: Sequelize.QueryTypes.SELECT })
  },
  'reads composite types of a raw query': async (Sequelize, sequelize) => {
    await sequelize.query('CREATE TYPE place AS (street text, number int)')
    await sequelize.query('CREATE TABLE things (at place, others place[])')
    await sequelize.query(`INSERT INTO things VALUES (ROW('High Street', 5), ARRAY[ROW('a', 1)::place, NULL]), (NULL, '{}')`)
    return sequelize.query('SELECT *, (at).number FROM things', { type: Sequelize.QueryTypes.SELECT })
  },
  'reads types that others made before the connection': async (Sequelize, sequelize, DataTypes, tools) => {
    await tools.plain("CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TYPE span AS RANGE (subtype = float8)")
    await tools.plain('CREATE TABLE things (mood mood, moods mood[], span span, store hstore, stores hstore[], name citext, names citext[])')
    await tools.plain(`INSERT INTO things VALUES ('sad', '{sad,happy}', '[1.5,2)', 'a=>1', ARRAY['a=>1'::hstore], 'Ab', '{Ab,c}')`)
    return [
      await sequelize.query('SELECT * FROM things', { type: Sequelize.QueryTypes.SELECT }),
      await sequelize.query('SELECT * FROM things', { type: Sequelize.QueryTypes.SELECT }),
    ]
  },
  'reads types that were made after the connection': async (Sequelize, sequelize) => {
    await sequelize.query('SELECT 1')
    await sequelize.query("CREATE TYPE mood AS ENUM ('sad', 'happy')")
    await sequelize.query("CREATE TABLE things (mood mood, moods mood[]); INSERT INTO things VALUES ('sad', '{sad,happy}')")
    return sequelize.query('SELECT * FROM things', { type: Sequelize.QueryTypes.SELECT })
  },
  'reads a range type made after the connection': async (Sequelize, sequelize) => {
    await sequelize.query('SELECT 1')
    await sequelize.query('CREATE TYPE span AS RANGE (subtype = float8)')
    return sequelize.query("SELECT '[1.5,2)'::span AS span, ARRAY['[1,2)'::span] AS spans", { plain: true })
  },
  'reads its own types before any sync': async (Sequelize, sequelize, DataTypes, tools) => {
    await tools.plain(`CREATE TYPE enum_things_kind AS ENUM ('a', 'b')`)
    await tools.plain(
      'CREATE TABLE things (id int primary key, kind enum_things_kind, kinds enum_things_kind[], store hstore, name citext, day date, price numeric, span int4range)',
    )
    await tools.plain(`INSERT INTO things VALUES (1, 'a', '{a,b}', 'k=>v', 'Ab', '2024-02-29', 1.50, '[1,3)')`)
    const Thing = sequelize.define(
      'thing',
      {
        kind: DataTypes.ENUM('a', 'b'),
        kinds: DataTypes.ARRAY(DataTypes.ENUM('a', 'b')),
        store: DataTypes.HSTORE,
        name: DataTypes.CITEXT,
        day: DataTypes.DATEONLY,
        price: DataTypes.DECIMAL,
        span: DataTypes.RANGE(DataTypes.INTEGER),
      },
      { timestamps: false },
    )
    const first = await Thing.findAll()
    await Thing.update({ store: { k: 'w' }, kinds: ['b'] }, { where: { id: 1 } })
    return [first, await Thing.findAll({ raw: true }), await sequelize.transaction(transaction => Thing.findOne({ transaction }))]
  },
  'reads its own types first in a transaction': async (Sequelize, sequelize, DataTypes, tools) => {
    await tools.plain("CREATE TABLE things (id int primary key, store hstore, names citext[]); INSERT INTO things VALUES (1, 'a=>1', '{Ab}')")
    return sequelize.transaction(async transaction => [
      await sequelize.query('SELECT * FROM things', { transaction }),
      await sequelize.query('SELECT * FROM things', { transaction, plain: true }),
    ])
  },
  'reads enums after sync({ alter })': async (Sequelize, sequelize, DataTypes) => {
    const define = values => sequelize.define('thing', { kind: DataTypes.ENUM(...values), name: DataTypes.STRING }, { timestamps: false })
    const Before = define(['a', 'b'])
    await Before.sync()
    await Before.create({ kind: 'a' })
    const After = define(['a', 'c', 'b'])
    await After.sync({ alter: true })
    await After.create({ kind: 'c' })
    return [await After.findAll({ order: ['kind'] }), await sequelize.query('SELECT * FROM things ORDER BY id')]
  },
  'reads enums after sync({ force })': async (Sequelize, sequelize, DataTypes) => {
    const Thing = sequelize.define(
      'thing',
      { kind: DataTypes.ENUM('a', 'b'), kinds: DataTypes.ARRAY(DataTypes.ENUM('x', 'y')) },
      { timestamps: false },
    )
    await Thing.sync()
    await Thing.create({ kind: 'a', kinds: ['x'] })
    await Thing.sync({ force: true })
    await Thing.create({ kind: 'b', kinds: ['y', 'x'] })
    return [await Thing.findAll(), await sequelize.query('SELECT kinds FROM things', { plain: true })]
  },
  'alters columns of a model with sync': async (Sequelize, sequelize, DataTypes) => {
    const Before = sequelize.define('thing', { name: DataTypes.STRING, size: DataTypes.INTEGER }, { timestamps: false })
    await Before.sync()
    await Before.create({ name: 'a', size: 1 })
    const After = sequelize.define(
      'thing',
      { name: { type: DataTypes.TEXT, allowNull: false }, size: DataTypes.BIGINT, more: DataTypes.DATEONLY },
      { timestamps: false },
    )
    await After.sync({ alter: true })
    await After.create({ name: 'b', size: '9007199254740993', more: '2024-02-29' })
    return After.findAll({ order: ['id'] })
  },
  'keeps bigints and numerics as strings everywhere': async (Sequelize, sequelize, DataTypes) => {
    const Thing = sequelize.define('thing', { big: DataTypes.BIGINT, price: DataTypes.DECIMAL(10, 2) }, { timestamps: false })
    await Thing.sync()
    await Thing.bulkCreate([
      { big: 1, price: 1 },
      { big: '9007199254740993', price: '2.5' },
    ])
    return [
      await Thing.sum('big'),
      await Thing.max('big'),
      await Thing.sum('price'),
      await Thing.count(),
      await sequelize.query('SELECT sum(big), avg(price), count(*), sum(price) AS p FROM things', { plain: true }),
      await Thing.findAll({ raw: true, order: ['id'] }),
    ]
  },
  'warns once of options that PostgreSQL lacks': async (Sequelize, sequelize, DataTypes) => {
    const Thing = sequelize.define(
      'thing',
      { a: DataTypes.INTEGER(5), b: DataTypes.TEXT('long'), c: DataTypes.BLOB('tiny'), d: DataTypes.SMALLINT(3) },
      { timestamps: false },
    )
    await Thing.sync()
    return Thing.create({ a: 1, b: 'x', c: Buffer.from('y'), d: 3 })
  },
  'refuses values that do not fit the type': async (Sequelize, _, DataTypes, tools) => {
    const sequelize = tools.connect({ typeValidation: true })
    const Thing = sequelize.define('thing', {
      id: { type: DataTypes.UUID, primaryKey: true },
      n: DataTypes.INTEGER,
      flag: DataTypes.BOOLEAN,
      at: DataTypes.DATE,
      address: DataTypes.INET,
      kind: DataTypes.ENUM('a'),
    })
    await Thing.sync()
    const id = '00000000-0000-4000-8000-000000000001'
    const bad = [{ n: 'x' }, { n: 1.5 }, { flag: 'maybe' }, { at: 'never' }, { address: 'here' }, { kind: 'b' }]
    const errors = [await tools.errorOf(Thing.create({ id: 'no' }))]
    for (const values of bad) errors.push(await tools.errorOf(Thing.create({ id, ...values })))
    return errors
  },
  'writes dates in UTC': dates('UTC'),
  'writes dates in another zone of the process': dates('America/New_York'),
  'writes dates with an offset as timezone': dates('UTC', '+02:00'),
  'writes dates with half an hour as timezone': dates('Asia/Tokyo', '-03:30'),
  'writes dates with a named timezone': withZones(dates('UTC', 'America/New_York')),
  'writes dates with two named zones': withZones(dates('Asia/Kolkata', 'Europe/Berlin')),
  'defaults DATEONLY to the day of its zone': async (Sequelize, _, DataTypes, tools) =>
    tools.inTimeZone('Pacific/Kiritimati', async () => {
      const sequelize = tools.connect({ timezone: '-11:00' })
      const Thing = sequelize.define('thing', { day: DataTypes.DATEONLY }, { timestamps: false })
      await Thing.sync()
      const thing = await Thing.create({ day: new Date('2024-02-29T05:00:00Z') })
      await thing.reload()
      return [thing, thing.day, await Thing.findAll({ where: { day: new Date('2024-02-29T05:00:00Z') }, raw: true })]
    }),
}
