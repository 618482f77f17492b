import { Buffer } from 'node:buffer'
import console from 'node:console'

const SELECT = { type: 'SELECT' }

/** A case with a small table. */
const onThings = work => async (Sequelize, sequelize, DataTypes, tools) => {
  const Thing = sequelize.define('thing', { name: DataTypes.STRING, size: { type: DataTypes.INTEGER, field: 'the_size' } }, { timestamps: false })
  await Thing.sync()
  await Thing.bulkCreate([
    { name: 'a', size: 1 },
    { name: 'b', size: 2 },
  ])
  return work({
    Thing,
    query: (text, options) => sequelize.query(text, options),
    QueryTypes: Sequelize.QueryTypes,
    Sequelize,
    sequelize,
    DataTypes,
    tools,
  })
}

export const cases = {
  'returns rows and metadata of a SELECT': onThings(({ query }) => query('SELECT * FROM things ORDER BY id')),
  'returns rows and metadata of each kind of statement': onThings(async ({ query }) => [
    await query("INSERT INTO things (name) VALUES ('c')"),
    await query("INSERT INTO things (name) VALUES ('d') RETURNING id, name"),
    await query("UPDATE things SET the_size = 9 WHERE name IN ('a', 'b')"),
    await query("DELETE FROM things WHERE name = 'c'"),
    await query("MERGE INTO things t USING (VALUES ('a')) v(name) ON t.name = v.name WHEN MATCHED THEN UPDATE SET the_size = 10"),
    await query('CREATE TABLE more (n int)'),
    await query('TRUNCATE more'),
    await query('DROP TABLE more'),
    await query('VALUES (1, $$a$$), (2, NULL)'),
    await query('TABLE things'),
    await query('SHOW search_path'),
    await query("SET application_name TO 'x'"),
    await query('EXPLAIN (COSTS OFF) SELECT 1'),
    await query('ANALYZE things'),
    await query('COMMENT ON TABLE things IS NULL'),
  ]),
  'returns results by the type of the query': onThings(async ({ query, QueryTypes }) => [
    await query('SELECT name FROM things ORDER BY id', { type: QueryTypes.SELECT }),
    await query("INSERT INTO things (name) VALUES ('c')", { type: QueryTypes.INSERT }),
    await query("INSERT INTO things (name) VALUES ('d') RETURNING *", { type: QueryTypes.INSERT }),
    await query("UPDATE things SET name = 'x' WHERE id = 1", { type: QueryTypes.UPDATE }),
    await query("UPDATE things SET name = 'x' WHERE id = 1 RETURNING id", { type: QueryTypes.UPDATE }),
    await query("UPDATE things SET name = 'y'", { type: QueryTypes.BULKUPDATE }),
    await query('DELETE FROM things WHERE id = 1', { type: QueryTypes.BULKDELETE }),
    await query('DELETE FROM things WHERE id = 2', { type: QueryTypes.DELETE }),
    await query("INSERT INTO things (id, name) VALUES (9, 'u') ON CONFLICT (id) DO UPDATE SET name = 'v' RETURNING *", { type: QueryTypes.UPSERT }),
    await query('SHOW server_version_num', { type: QueryTypes.SHOWTABLES }),
    await query('SELECT 1 AS one', { type: QueryTypes.RAW }),
    await query('SELECT name FROM things', { type: 'nothing' }),
  ]),
  'returns the first row alone': onThings(async ({ query }) => [
    await query('SELECT * FROM things ORDER BY id', { plain: true }),
    await query('SELECT * FROM things WHERE false', { plain: true }),
    await query('SELECT * FROM things WHERE false', SELECT),
    await query('SELECT * FROM things WHERE false'),
  ]),
  'nests dotted columns': onThings(async ({ query }) => [
    await query('SELECT id AS "a.b", name AS "a.c.d", the_size FROM things ORDER BY id', { nest: true }),
    await query('SELECT id AS "a.b" FROM things', { nest: true, plain: true, type: 'SELECT' }),
  ]),
  'maps rows to a model': onThings(async ({ query, Thing }) => [
    await query('SELECT * FROM things ORDER BY id', { model: Thing, mapToModel: true }),
    await query('SELECT * FROM things ORDER BY id', { model: Thing }),
    await query('SELECT * FROM things ORDER BY id', { model: Thing, mapToModel: true, plain: true }),
    await query('SELECT * FROM things ORDER BY id', { model: Thing, raw: true }),
    await query('SELECT the_size FROM things ORDER BY id', { ...SELECT, fieldMap: { the_size: 'mapped' } }),
    await query('SELECT * FROM things WHERE id = 1', { instance: Thing.build(), type: 'SELECT' }),
  ]),
  'replaces by position': async (Sequelize, sequelize) => [
    await sequelize.query('SELECT ?::int AS a, ?::text AS b, ? AS c', { replacements: [1, "it's", null], ...SELECT }),
    await sequelize.query('SELECT \'?\' AS a, "b?".n FROM (SELECT ?::int AS n) AS "b?"', { replacements: [2], ...SELECT }),
    await sequelize.query({ query: 'SELECT ?::int AS a', values: [3] }, SELECT),
  ],
  'replaces by name': async (Sequelize, sequelize) => [
    await sequelize.query('SELECT :a::int AS a, :b AS b, :a::text AS again', { replacements: { a: 1, b: 'x\\y' }, ...SELECT }),
    await sequelize.query("SELECT ':a' AS text, 'x'::text AS cast, :list AS x WHERE 1 IN (:ids)", {
      replacements: { list: 'l', ids: [1, 2] },
      ...SELECT,
    }),
    await sequelize.query('SELECT * FROM (VALUES :rows) AS v(a, b)', {
      replacements: {
        rows: [
          [1, 'a'],
          [2, 'b'],
        ],
      },
      ...SELECT,
    }),
    await sequelize.query('SELECT $$ :a $$ AS a, $tag$ :a $tag$ AS b, :a AS c -- :a', { replacements: { a: 1 }, ...SELECT }),
  ],
  'replaces every kind of value': async (Sequelize, sequelize) => {
    const replacements = {
      text: "a'b\\c\n\u0000d",
      number: 1.5,
      big: 9_007_199_254_740_993n,
      yes: true,
      none: null,
      at: new Date(0),
      bytes: Buffer.from([0, 255]),
      list: [1, 'x'],
    }
    return sequelize.query('SELECT :text AS t, :number AS n, :big AS b, :yes AS y, :none AS no, :at AS at, :bytes AS bytes, (:list) AS list', {
      replacements,
      ...SELECT,
    })
  },
  'binds by position': async (Sequelize, sequelize) => [
    await sequelize.query('SELECT $1::int AS a, $2::text AS b, $1::text AS again', { bind: [1, "it's"], ...SELECT }),
    await sequelize.query("SELECT '$$1' AS a, $1::text AS b", { bind: ['x'], ...SELECT }),
    await sequelize.query({ query: 'SELECT $1::int AS a', bind: [3] }, SELECT),
    await sequelize.query('SELECT 1 AS a', { bind: [], ...SELECT }),
  ],
  'binds by name': async (Sequelize, sequelize) => [
    await sequelize.query('SELECT $a::int AS a, $b::text AS b, $a::text AS again', { bind: { a: 1, b: 'x' }, ...SELECT }),
    await sequelize.query('SELECT $first_name::text AS a', { bind: { first_name: 'Ada', unused: 1 }, ...SELECT }),
  ],
  'binds every kind of value': async (Sequelize, sequelize) => {
    const bind = [
      "a'b\\c\n\u0000d",
      1.5,
      9_007_199_254_740_993n,
      true,
      null,
      new Date(0),
      Buffer.from([0, 255]),
      [1, 2, null],
      { a: [1] },
      Number.NaN,
      ['x"y', "z'", 'a,b'],
    ]
    return sequelize.query(
      'SELECT $1::text AS t, $2::float8 AS n, $3::int8 AS b, $4::bool AS y, $5::text AS no, $6::timestamptz AS at, $7::bytea AS bytes, $8::int[] AS list, $9::jsonb AS j, $10::float8 AS nan, $11::text[] AS texts',
      { bind, ...SELECT },
    )
  },
  'fails for values that are missing': async (Sequelize, sequelize, DataTypes, tools) => [
    await tools.errorOf(sequelize.query('SELECT :a', { replacements: {} })),
    await tools.errorOf(sequelize.query('SELECT :a', { replacements: { b: 1 } })),
    await tools.errorOf(sequelize.query('SELECT ?', { replacements: [] })),
    await tools.errorOf(sequelize.query('SELECT $1', { bind: [] })),
    await tools.errorOf(sequelize.query('SELECT $a', { bind: { b: 1 } })),
    await tools.errorOf(sequelize.query('SELECT $1, $2', { bind: [1] })),
    await tools.errorOf(sequelize.query('SELECT $1')),
    await tools.errorOf(sequelize.query('SELECT 1', { bind: [1], replacements: [1] })),
    await tools.errorOf(sequelize.query('SELECT 1', { bind: [1] })),
    await tools.errorOf(sequelize.query({ query: 'SELECT ?', values: [1] }, { replacements: [2] })),
    await tools.errorOf(() => sequelize.query(undefined)),
    await tools.errorOf(sequelize.query('SELECT $1::int', { bind: [undefined] })),
    await tools.errorOf(sequelize.query('SELECT $a::int', { bind: { a: undefined } })),
    await sequelize.query('SELECT :a AS a', { replacements: { a: undefined } }).catch(error => error),
  ],
  'runs several statements in one text': onThings(async ({ query, tools }) => [
    await query('SELECT 1 AS a; SELECT 2 AS b, 3 AS c'),
    await query("INSERT INTO things (name) VALUES ('c'); SELECT count(*)::int AS n FROM things;"),
    await query("UPDATE things SET the_size = 0; DELETE FROM things WHERE name = 'c'", { type: 'BULKDELETE' }),
    await query('SELECT 1 AS a; SELECT 2 AS a', SELECT),
    await tools.errorOf(query("INSERT INTO things (name) VALUES ('lost'); SELECT nothing")),
    await tools.errorOf(query('SELECT $1; SELECT $2', { bind: [1, 2] })),
    await query("BEGIN; INSERT INTO things (name) VALUES ('kept'); COMMIT"),
    await query('SELECT name FROM things ORDER BY id', SELECT),
  ]),
  'runs texts with semicolons and blanks': async (Sequelize, sequelize, DataTypes, tools) => [
    await sequelize.query('  SELECT 1 AS a ;  '),
    await sequelize.query("SELECT ';' AS a", SELECT),
    await sequelize.query('SELECT 1 AS a;\n-- the end', SELECT),
    await sequelize.query('\n\tSELECT\n1 AS a\n', SELECT),
    await sequelize.query(''),
    await sequelize.query(';'),
    await sequelize.query('-- nothing'),
    await tools.errorOf(sequelize.query('SELECT 1 AS a;;; SELEC')),
  ],
  'runs DO blocks and dollar quotes': onThings(async ({ query, tools }) => [
    await query("DO $$ BEGIN INSERT INTO things (name) VALUES ('it''s; a :trap ? $1'); END $$"),
    await query("DO $body$ DECLARE n int; BEGIN SELECT count(*) INTO n FROM things; RAISE NOTICE 'n %', n; END $body$ LANGUAGE plpgsql"),
    await tools.errorOf(query("DO $$ BEGIN RAISE EXCEPTION 'own error' USING ERRCODE = 'P0042', DETAIL = 'a detail', HINT = 'a hint'; END $$")),
    await query("SELECT $$it's$$ AS a, $x$ $$ $x$ AS b, E'\\\\n' AS c, U&'\\0041' AS d", SELECT),
    await query('SELECT name FROM things ORDER BY id', SELECT),
  ]),
  'runs texts with comments and quotes': async (Sequelize, sequelize) => [
    await sequelize.query('/* a; comment */ SELECT 1 AS a -- ; and another', SELECT),
    await sequelize.query('-- first\nSELECT 1 AS a', SELECT),
    await sequelize.query('/* nested /* inside */ */ WITH x AS (SELECT 1 AS n) SELECT * FROM x', SELECT),
    await sequelize.query('SELECT 1 AS "a b", 2 AS "c""d", 3 AS "ü;"', SELECT),
    await sequelize.query("SELECT 'INSERT INTO nothing' AS a, 'DELETE' AS b", SELECT),
    await sequelize.query('(SELECT 1 AS a) UNION ALL (SELECT 2)', SELECT),
    await sequelize.query('select\n1 as a', SELECT),
  ],
  'reads with writing statements inside': onThings(async ({ query, tools }) => [
    await query("WITH made AS (INSERT INTO things (name) VALUES ('cte') RETURNING id, name) SELECT * FROM made", SELECT),
    await query('WITH changed AS (UPDATE things SET the_size = 5 RETURNING *) SELECT count(*)::int AS n FROM changed', SELECT),
    await query('SELECT * INTO copies FROM things'),
    await query('CREATE TABLE more AS SELECT * FROM things'),
    await query("SELECT nextval('things_id_seq') AS n", SELECT),
    await query("SELECT setval('things_id_seq', 100) AS n", SELECT),
    await query('SELECT * FROM things FOR UPDATE', SELECT),
    await query('SELECT count(*)::int AS n FROM copies', SELECT),
    await tools.errorOf(query('WITH x AS (INSERT INTO things (id) VALUES (1) RETURNING id) SELECT * FROM x')),
  ]),
  'calls functions that write': onThings(async ({ query }) => {
    await query('CREATE FUNCTION add_thing(given text) RETURNS int LANGUAGE sql AS $$ INSERT INTO things (name) VALUES (given) RETURNING id $$')
    await query('CREATE FUNCTION all_things() RETURNS SETOF things LANGUAGE sql STABLE AS $$ SELECT * FROM things ORDER BY id $$')
    await query('CREATE PROCEDURE twice(INOUT n int) LANGUAGE plpgsql AS $$ BEGIN n := n * 2; COMMIT; END $$')
    return [
      await query("SELECT add_thing('by a function') AS id", SELECT),
      await query('SELECT add_thing($1) AS id', { bind: ['bound'], ...SELECT }),
      await query('SELECT * FROM all_things()', SELECT),
      await query('SELECT (all_things()).*', SELECT),
      await query('CALL twice(4)', SELECT),
      await query('SELECT count(*)::int AS n, max(name) FROM things', { plain: true }),
    ]
  }),
  'repeats a column name': async (Sequelize, sequelize) => [
    await sequelize.query('SELECT 1 AS a, 2 AS a', SELECT),
    await sequelize.query('SELECT 1, 2'),
    await sequelize.query('SELECT', SELECT),
  ],
  'runs raw statements outside of public': async (Sequelize, sequelize) => {
    await sequelize.query('CREATE SCHEMA other')
    await sequelize.query('CREATE TABLE other.things (n int)')
    await sequelize.query('INSERT INTO other.things VALUES (1)')
    return [
      await sequelize.query('SELECT * FROM other.things', SELECT),
      await sequelize.query('ALTER TABLE other.things ADD COLUMN m text'),
      await sequelize.query('SELECT * FROM other.things', SELECT),
    ]
  },
  'escapes values and identifiers': async (Sequelize, sequelize) => [
    sequelize.escape("it's"),
    sequelize.escape(1),
    sequelize.escape(null),
    sequelize.escape([1, 'a']),
    sequelize.escape(new Date(0)),
    sequelize.escape(Buffer.from('ab')),
    sequelize.getQueryInterface().quoteIdentifier('a"b'),
    sequelize.getQueryInterface().quoteIdentifiers('a.b'),
    await sequelize.query(`SELECT ${sequelize.escape("x'; --")} AS a`, SELECT),
  ],
  'carries large values': async (Sequelize, sequelize) => {
    const bind = ['ü'.repeat(1_000_000), Buffer.alloc(2_000_000, 7)]
    const { text, bytes } = await sequelize.query('SELECT $1::text AS text, $2::bytea AS bytes', { bind, plain: true, logging: false })
    const { long } = await sequelize.query("SELECT repeat('x', 3000000) AS long", { plain: true })
    return [text === bind[0], bytes.equals(bind[1]), long.length]
  },
  'reads many rows and wide rows': async (Sequelize, sequelize) => {
    const rows = await sequelize.query("SELECT n, repeat('x', 100) AS text FROM generate_series(1, 3000) AS n", SELECT)
    const wide = await sequelize.query(`SELECT ${Array.from({ length: 300 }, (_, index) => `${index} AS c${index}`).join(', ')}`, { plain: true })
    return [rows.length, rows.at(-1), Object.keys(wide).length, wide.c299]
  },
  'logs what is asked for': async (Sequelize, _, DataTypes, tools) => {
    const sequelize = tools.connect({ logQueryParameters: true })
    await sequelize.query('SELECT $1::int AS a, $2::text AS b', { bind: [1, "x'"] })
    await sequelize.query('SELECT 2', { logging: text => tools.note('own', text) })
    await sequelize.query('SELECT 3', { logging: false })
    await sequelize.query('SELECT 4', { logging: console.log })
    await sequelize.query('SELECT 5', { benchmark: true })
    await tools.errorOf(sequelize.query('SELECT nothing', { logging: text => tools.note('failing', text) }))
    const silent = tools.connect({ logging: false })
    await silent.query('SELECT 6')
    return sequelize.transaction(transaction =>
      sequelize.query('SELECT 7 AS n', { transaction, plain: true, logging: text => tools.note('inside', /default|\w{8}-/.exec(text)?.[0].length) }),
    )
  },
  'gives options to the logging function': async (Sequelize, _, DataTypes, tools) => {
    const seen = []
    const sequelize = tools.connect({
      logging: (...given) => seen.push(given.map(one => (typeof one === 'object' ? Object.keys(one).sort() : typeof one))),
    })
    await sequelize.query('SELECT 1', { plain: true })
    const timed = tools.connect({ benchmark: true, logging: (...given) => seen.push(given.map(one => typeof one)) })
    await timed.query('SELECT 1')
    return seen
  },
  'searches in the path that is asked for': {
    only: { route: 'direct', why: 'the search path is prepended as a statement of its own session' },
    run: async (Sequelize, _, DataTypes, tools) => {
      const sequelize = tools.connect({ dialectOptions: { prependSearchPath: true } })
      await tools.plain(
        'CREATE SCHEMA one; CREATE TABLE one.things (id serial primary key, name text); CREATE TABLE things (id serial primary key, name text)',
      )
      const Thing = sequelize.define('thing', { name: DataTypes.TEXT }, { timestamps: false })
      await Thing.create({ name: 'in one' }, { searchPath: 'one' })
      await Thing.create({ name: 'in public' }, { searchPath: 'public' })
      return [
        await Thing.findAll({ searchPath: 'one' }),
        await Thing.findAll({ searchPath: '"one", public' }),
        await sequelize.query('SELECT * FROM things', { searchPath: 'public', ...SELECT }),
      ]
    },
  },
}
