import { setImmediate } from 'node:timers/promises'

const onThings = work => async (Sequelize, sequelize, DataTypes, tools) => {
  const Thing = sequelize.define(
    'thing',
    { code: { type: DataTypes.STRING, unique: true }, size: DataTypes.INTEGER, name: { type: DataTypes.STRING(5), field: 'the_name' } },
    { timestamps: false },
  )
  await Thing.sync()
  await Thing.create({ id: 1, code: 'a' })
  return work({ Thing, query: (text, options) => sequelize.query(text, options), Sequelize, sequelize, DataTypes, tools })
}

/** A case of statements that fail, each outside of a transaction, in one, and with bound values. */
const fails = (...texts) =>
  onThings(async ({ query, sequelize, tools }) => {
    const errors = []
    for (const text of texts) {
      errors.push(await tools.errorOf(query(text)))
      errors.push(await tools.errorOf(query(text, { type: 'SELECT' })))
      errors.push(await tools.errorOf(sequelize.transaction(transaction => query(text, { transaction }))))
    }
    return [errors, await query('SELECT 1 AS alive', { plain: true })]
  })

// What is logged without a connection is a difference of its own.
const UNREACHED = { logging: false }

const withoutText = error => ({ name: error.name, chain: chainOf(error), original: error.original?.code, cause: error.cause, sql: error.sql })
const chainOf = error =>
  error === null ? [] : [...(Object.hasOwn(error, 'constructor') ? [error.constructor.name] : []), ...chainOf(Object.getPrototypeOf(error))]

export const cases = {
  'reports a unique violation': onThings(async ({ Thing, query, tools }) => [
    await tools.errorOf(Thing.create({ code: 'a' })),
    await tools.errorOf(Thing.create({ id: 1, code: 'b' })),
    await tools.errorOf(Thing.bulkCreate([{ code: 'x' }, { code: 'a' }])),
    await tools.errorOf(Thing.update({ code: 'a' }, { where: { id: (await Thing.create({ id: 2, code: 'z' })).id } })),
    await tools.errorOf(query("INSERT INTO things (code) VALUES ('a')")),
    await tools.errorOf(query("UPDATE things SET code = 'a'")),
  ]),
  'reports a unique violation of an expression': onThings(async ({ query, tools }) => {
    await query('CREATE UNIQUE INDEX lowered ON things (lower(code))')
    return tools.errorOf(query("INSERT INTO things (code) VALUES ('A')"))
  }),
  'reports a foreign key violation': onThings(async ({ query, tools }) => {
    await query('CREATE TABLE parts (id int PRIMARY KEY, "thingId" int REFERENCES things)')
    await query('INSERT INTO parts VALUES (1, 1)')
    return [
      await tools.errorOf(query('INSERT INTO parts VALUES (2, 99)')),
      await tools.errorOf(query('DELETE FROM things')),
      await tools.errorOf(query('UPDATE things SET id = 2')),
      await tools.errorOf(query('DROP TABLE things')),
    ]
  }),
  'reports an exclusion violation': onThings(async ({ query, tools }) => {
    await query('CREATE TABLE stays (room int, during int4range, EXCLUDE USING gist (room WITH =, during WITH &&))')
    await query("INSERT INTO stays VALUES (1, '[1,5)')")
    return tools.errorOf(query("INSERT INTO stays VALUES (1, '[3,9)')"))
  }),
  'reports a check violation': onThings(async ({ query, Thing, tools }) => {
    await query('ALTER TABLE things ADD CONSTRAINT small CHECK (size < 10)')
    return [await tools.errorOf(Thing.create({ size: 10 })), await tools.errorOf(query('UPDATE things SET size = 11'))]
  }),
  'reports a NULL that is not allowed': onThings(async ({ query, Thing, tools }) => {
    await query('ALTER TABLE things ALTER size SET NOT NULL, ALTER size SET DEFAULT 1').catch(() => undefined)
    await query('UPDATE things SET size = 1')
    await query('ALTER TABLE things ALTER size SET NOT NULL')
    return [
      await tools.errorOf(Thing.create({ size: null })),
      await tools.errorOf(query('INSERT INTO things (size) VALUES (NULL)')),
      await tools.errorOf(Thing.update({ size: null }, { where: {} })),
    ]
  }),
  'reports syntax errors': fails('SELEC 1', 'SELECT FROM WHERE', 'SELECT 1 +', "SELECT 'open", 'INSERT things'),
  'reports unknown tables, columns and functions': fails(
    'SELECT * FROM nothing',
    'SELECT nothing FROM things',
    'SELECT nothing(1)',
    'SELECT 1::nothing',
    'INSERT INTO nothing VALUES (1)',
    'DROP TABLE nothing',
    'SELECT * FROM nothing.things',
  ),
  'reports data exceptions': fails(
    'SELECT 1 / 0',
    "SELECT 'x'::int",
    "SELECT '2024-02-30'::date",
    'SELECT 1e400::float8',
    "SELECT '{'::json",
    'SELECT 99999999999::int',
    "SELECT substring('a' from 1 for -1)",
  ),
  'reports values that are too long or too large': onThings(async ({ Thing, tools }) => [
    await tools.errorOf(Thing.create({ name: 'too long' })),
    await tools.errorOf(Thing.create({ size: 3_000_000_000 })),
    await tools.errorOf(Thing.findAll({ where: { size: 'x' } })),
  ]),
  'reports errors raised by functions': fails(
    "DO $$ BEGIN RAISE EXCEPTION 'own' USING ERRCODE = '22012', DETAIL = 'd', HINT = 'h', TABLE = 't', COLUMN = 'c', CONSTRAINT = 'k', SCHEMA = 's'; END $$",
    "DO $$ BEGIN RAISE unique_violation USING MESSAGE = 'made up'; END $$",
    "DO $$ BEGIN ASSERT false, 'asserted'; END $$",
  ),
  'reports privileges that are missing': async (Sequelize, sequelize, DataTypes, tools) => {
    await sequelize.query('CREATE TABLE secrets (n int)')
    return tools.errorOf(
      sequelize.transaction(async transaction => {
        await sequelize.query('SET LOCAL ROLE pg_monitor', { transaction })
        await sequelize.query('SELECT * FROM secrets', { transaction })
      }),
    )
  },
  'reports a failed transaction to later statements': onThings(async ({ Thing, query, sequelize, tools }) => {
    const transaction = await sequelize.transaction()
    const errors = [
      await tools.errorOf(Thing.create({ code: 'a' }, { transaction })),
      await tools.errorOf(query('SELECT 1', { transaction })),
      await tools.errorOf(Thing.findAll({ transaction })),
    ]
    return [errors, await transaction.rollback(), await Thing.count()]
  }),
  "reports the application's own statement_timeout": onThings(async ({ query, sequelize, tools }) => [
    await tools.errorOf(
      sequelize.transaction(async transaction => {
        await query("SET LOCAL statement_timeout = '30ms'", { transaction })
        await query('SELECT pg_sleep(5)', { transaction })
      }),
    ),
    await query('SELECT 1 AS alive', { plain: true }),
  ]),
  "reports the application's own statement_timeout of a session": {
    only: { route: 'direct', why: 'a pooler refuses or drops the start-up parameter' },
    run: async (Sequelize, _, DataTypes, tools) => {
      const sequelize = tools.connect({ dialectOptions: { statement_timeout: 600 } })
      return [
        await tools.errorOf(sequelize.query('SELECT pg_sleep(5)')),
        await tools.errorOf(sequelize.query('DO $$ BEGIN PERFORM pg_sleep(5); END $$')),
        await sequelize.query('SHOW statement_timeout', { plain: true }),
      ]
    },
  },
  "reports the application's own lock_timeout": onThings(async ({ Thing, query, sequelize, tools }) => {
    const other = await tools.session()
    await other.query('BEGIN; SELECT * FROM things FOR UPDATE')
    const error = await tools.errorOf(
      sequelize.transaction(async transaction => {
        await query("SET LOCAL lock_timeout = '30ms'", { transaction })
        await Thing.update({ size: 1 }, { where: {}, transaction })
      }),
    )
    await other.query('ROLLBACK')
    return error
  }),
  "reports the application's own query_timeout": async (Sequelize, _, DataTypes, tools) => {
    const sequelize = tools.connect({ dialectOptions: { query_timeout: 700 } })
    const error = await tools.errorOf(sequelize.query('SELECT pg_sleep(2)'))
    return [error, await sequelize.query('SELECT 1 AS alive', { plain: true })]
  },
  'reports a statement that was cancelled': onThings(async ({ query, tools }) => {
    const failing = tools.errorOf(query('SELECT pg_sleep(20) AS cancelled'))
    for (let cancelled = 0; cancelled === 0;)
      [{ n: cancelled }] = await tools.plain(
        "SELECT count(pg_cancel_backend(pid))::int AS n FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%AS cancelled%' AND query NOT LIKE '%count%' AND state = 'active'",
      )
    return failing
  }),
  'reports a deadlock of a transaction': async (Sequelize, _, DataTypes, tools) => {
    const sequelize = tools.connect({ pool: { max: 2 } })
    await sequelize.query('CREATE TABLE things (id int PRIMARY KEY, n int); INSERT INTO things VALUES (1, 0), (2, 0)')
    const other = await tools.session()
    await other.query("SET deadlock_timeout = '10s'; BEGIN; UPDATE things SET n = 1 WHERE id = 1")
    const error = await tools.errorOf(
      sequelize.transaction(async transaction => {
        await sequelize.query("SET LOCAL deadlock_timeout = '10ms'; UPDATE things SET n = 2 WHERE id = 2", { transaction })
        const blocked = other.query('UPDATE things SET n = 1 WHERE id = 2')
        await tools.lockAwaited()
        await Promise.all([blocked, sequelize.query('UPDATE things SET n = 2 WHERE id = 1', { transaction })])
      }),
    )
    await other.query('COMMIT')
    return [error.original.code, error.name]
  },
  'reports a refused connection': async (Sequelize, _, DataTypes, tools) => {
    const connect = () => tools.connect({ ...UNREACHED, port: tools.closedPort, pool: { acquire: 300 } })
    const errors = [
      await tools.errorOf(connect().query('SELECT 1')),
      await tools.errorOf(connect().authenticate()),
      await tools.errorOf(connect().transaction(async () => tools.note('never'))),
    ]
    return errors.map(error => [withoutText(error), error.parent.code, error.parent.syscall])
  },
  'reports a wrong password': async (Sequelize, _, DataTypes, tools) => {
    const connect = () => tools.connect({ ...UNREACHED, password: 'wrong', pool: { acquire: 3_000 } })
    const errors = [
      await tools.errorOf(connect().query('SELECT 1')),
      await tools.errorOf(connect().authenticate()),
      await tools.errorOf(connect().transaction(async () => tools.note('never'))),
    ]
    return errors.map(withoutText)
  },
  'reports a wrong password in full': {
    only: { route: 'direct', why: 'the pooler has words of its own' },
    run: async (Sequelize, _, DataTypes, tools) => {
      const connect = () => tools.connect({ ...UNREACHED, password: 'wrong', pool: { acquire: 3_000 } })
      return [
        await tools.errorOf(connect().query('SELECT 1')),
        await tools.errorOf(connect().authenticate()),
        await tools.errorOf(connect().transaction(async () => tools.note('never'))),
      ]
    },
  },
  'reports an unknown database': {
    only: { route: 'direct', why: 'the pooler has words of its own, and tries again' },
    run: async (Sequelize, _, DataTypes, tools) => {
      const connect = () => tools.connect({ ...UNREACHED, database: 'nothing_of_the_kind', pool: { acquire: 3_000 } })
      return [await tools.errorOf(connect().query('SELECT 1')), await tools.errorOf(connect().authenticate())]
    },
  },
  'reports an unknown host': async (Sequelize, _, DataTypes, tools) => {
    const connect = () => tools.connect({ ...UNREACHED, host: 'nothing.invalid', pool: { acquire: 300 } })
    return [withoutText(await tools.errorOf(connect().query('SELECT 1'))), withoutText(await tools.errorOf(connect().authenticate()))]
  },
  'reports an unknown role': {
    only: { route: 'direct', why: 'the pooler has words of its own' },
    run: async (Sequelize, _, DataTypes, tools) => {
      const sequelize = tools.connect({ ...UNREACHED, username: 'nobody', pool: { acquire: 3_000 } })
      return tools.errorOf(sequelize.query('SELECT 1'))
    },
  },
  'reports errors of bound values': onThings(async ({ query, tools }) => [
    await tools.errorOf(query('SELECT $1::int', { bind: ['x'] })),
    await tools.errorOf(query('INSERT INTO things (size) VALUES ($1)', { bind: ['x'] })),
    await tools.errorOf(query('SELECT nothing, $1', { bind: ['x'] })),
    await tools.errorOf(query('SELECT $1::int / $2::int', { bind: [1, 0] })),
    await tools.errorOf(query('SELECT $1', { bind: [{ toPostgres: () => JSON.parse('{') }] })),
    await query('SELECT 1 AS alive', { plain: true }),
  ]),
  'reports too many bound values': onThings(async ({ query, tools }) => {
    const error = await tools.errorOf(
      query(`SELECT 1 WHERE 1 IN (${Array.from({ length: 70_000 }, (_, n) => `$${n + 1}`).join(',')})`, {
        bind: Array.from({ length: 70_000 }, () => 1),
        logging: false,
      }),
    )
    return [error.name, error.message, error.original.code, await query('SELECT 1 AS alive', { plain: true })]
  }),
  'reports writes to a read-only session': {
    only: { route: 'direct', why: 'a pooler drops start-up options' },
    run: async (Sequelize, _, DataTypes, tools) => {
      await tools.plain('CREATE TABLE things (n int)')
      const sequelize = tools.connect({ dialectOptions: { options: '-c default_transaction_read_only=on' } })
      return [
        await tools.errorOf(sequelize.transaction(transaction => sequelize.query('INSERT INTO things VALUES (1)', { transaction }))),
        await tools.errorOf(sequelize.query("SELECT setval('pg_catalog.nothing', 1)")),
        await sequelize.query('SELECT count(*)::int AS n FROM things', { plain: true }),
      ]
    },
  },
  'reports a session that ended in a transaction': {
    only: { route: 'direct', why: 'sessions belong to the pooler' },
    run: onThings(async ({ tools }) => {
      // What is logged and printed of a ROLLBACK over a lost connection is a difference of its own.
      const sequelize = tools.connect({ logging: false })
      const query = (text, options) => sequelize.query(text, options)
      const endSession = async transaction => {
        const { pid } = await query('SELECT pg_backend_pid() AS pid', { transaction, plain: true })
        await tools.plain('SELECT pg_terminate_backend($1, 5000)', [pid])
      }
      const whileRunning = await tools.errorOf(
        sequelize.transaction(async transaction => {
          await query('DO $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); END $$', { transaction })
        }),
      )
      const whileIdle = await tools.errorOf(
        sequelize.transaction(async transaction => {
          await query("INSERT INTO things (id, code) VALUES (5, 'lost')", { transaction })
          await endSession(transaction)
          await query('SELECT 2', { transaction })
        }),
      )
      return [[whileRunning, whileIdle].map(withoutText), await query('SELECT count(*)::int AS n FROM things', { plain: true })]
    }),
  },
  'goes on after its idle session was ended': {
    only: { route: 'direct', why: 'sessions belong to the pooler' },
    run: async (Sequelize, _, DataTypes, tools) => {
      const sequelize = tools.connect({ pool: { max: 1 }, dialectOptions: { application_name: 'idle' } })
      const seen = []
      for (let time = 0; time < 3; time += 1) {
        seen.push(await sequelize.query('SELECT 1 AS one', { plain: true }))
        await tools.plain(
          "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'idle' AND datname = current_database()",
        )
        // Stock Sequelize has to hear of the end before the next call.
        for (let turn = 0; turn < 3; turn += 1) await setImmediate()
      }
      return seen
    },
  },
  'refuses a text with a zero byte': onThings(async ({ query, tools }) => {
    const error = await tools.errorOf(query("SELECT 'a\u0000b'"))
    return [
      error.name,
      error.original.code,
      await tools.errorOf(query('SELECT $1::jsonb', { bind: ['{"a": "\\u0000"}'] })),
      await query('SELECT 1 AS alive', { plain: true }),
    ]
  }),
  'goes on after every error': onThings(async ({ Thing, query, tools }) => {
    const seen = []
    for (let time = 0; time < 5; time += 1) {
      await tools.errorOf(query('SELECT nothing'))
      await tools.errorOf(Thing.create({ code: 'a' }))
      seen.push(await Thing.count())
    }
    return seen
  }),
  'reports errors of parallel calls each to its caller': onThings(async ({ query, tools }) => {
    tools.ignoreLogOrder()
    const texts = ['SELECT 1 AS a', 'SELECT nothing', 'SELECT 1/0', 'SELECT 2 AS a', "SELECT 'x'::int", 'SELECT 3 AS a']
    return Promise.allSettled(texts.map(text => query(text, { type: 'SELECT' })))
  }),
  'gives errors that can be told apart': onThings(async ({ Thing, Sequelize, tools }) => {
    const error = await tools.errorOf(Thing.create({ code: 'a' }))
    const other = await tools.errorOf(Thing.findAll({ where: { nothing: 1 } }))
    return [
      error instanceof Sequelize.UniqueConstraintError,
      error instanceof Sequelize.ValidationError,
      error instanceof Sequelize.BaseError,
      error instanceof Sequelize.Error,
      error.get('code').map(({ message }) => message),
      error.errors[0] instanceof Sequelize.ValidationErrorItem,
      error.errors[0].instance,
      other instanceof Sequelize.DatabaseError,
      other instanceof Sequelize.ValidationError,
      other.parent === other.original,
      String(error),
      String(other),
      Object.prototype.toString.call(other),
    ]
  }),
  'gives raw errors on request': onThings(async ({ query, tools }) => [
    await tools.errorOf(query("INSERT INTO things (code) VALUES ('a')", { rawErrors: true })),
    await tools.errorOf(query('SELECT nothing', { rawErrors: true })),
  ]),
  'repeats a statement on request': onThings(async ({ query, sequelize, tools }) => {
    const error = await tools.errorOf(query('SELECT nothing', { retry: { max: 3, match: [/nothing/] } }))
    const strict = tools.connect({ retry: { max: 2, match: [/deadlock/] } })
    return [error, await tools.errorOf(strict.query('SELECT nothing')), await sequelize.query('SELECT 1 AS one', { plain: true, retry: { max: 3 } })]
  }),
}
