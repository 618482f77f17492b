import { randomBytes } from 'node:crypto'
import { DataTypes, type Model, type ModelStatic } from 'sequelize'
import { describe, expect, it } from 'vitest'
import { ResilientSequelize } from '../../src/index.ts'
import { startProxy } from '../../../postgres-faults/src/proxy/proxy.ts'
import { hasPgBouncer, startPgBouncer } from '../../../postgres-faults/src/pgbouncer.ts'
import { withDatabase, type TestDatabase } from '../../../functions-devkit/test/support/database.ts'

// A role or a database may have any setting: values are the same, and what the administrator set stays.

/** Settings on which texts and values depend: they are pinned. */
const PINNED = {
  'date style SQL': "DateStyle TO 'SQL, DMY'",
  'date style German': "DateStyle TO 'German, YMD'",
  'date style Postgres': "DateStyle TO 'Postgres, MDY'",
  'interval style ISO 8601': "IntervalStyle TO 'iso_8601'",
  'interval style SQL': "IntervalStyle TO 'sql_standard'",
  'interval style verbose': "IntervalStyle TO 'postgres_verbose'",
  'encoding of the client': "client_encoding TO 'LATIN1'",
  'time zone': "TimeZone TO 'Asia/Kolkata'",
  'backslashes in strings': 'standard_conforming_strings TO off',
} as const

/** The administrator's, with what a session shows of them. */
const KEPT = {
  'isolation serializable': ['default_transaction_isolation', 'serializable'],
  'isolation repeatable read': ['default_transaction_isolation', 'repeatable read'],
  'deferrable transactions': ['default_transaction_deferrable', 'on'],
  'search path': ['search_path', 'elsewhere, public'],
  'limit for statements': ['statement_timeout', '9s'],
  'limit for locks': ['lock_timeout', '8s'],
  'limit for idle transactions': ['idle_in_transaction_session_timeout', '7s'],
  'escaped bytea': ['bytea_output', 'escape'],
  'digits of floats': ['extra_float_digits', '-3'],
  'language of numbers': ['lc_numeric', 'C'],
  'language of messages': ['lc_messages', 'C'],
  'null in arrays': ['array_nulls', 'off'],
  'quotes with a backslash': ['backslash_quote', 'off'],
  'row security': ['row_security', 'off'],
  'role of the session': ['session_replication_role', 'replica'],
  'null equals null': ['transform_null_equals', 'on'],
  'quoted identifiers': ['quote_all_identifiers', 'on'],
  'threshold of JIT': ['jit_above_cost', '0'],
} as const

const WAYS = ['direct', 'a pooler that refuses options', 'a pooler that drops options'] as const
type Way = (typeof WAYS)[number]
const LEVELS = ['role', 'database'] as const
type Level = (typeof LEVELS)[number]

interface Stage {
  open(): ResilientSequelize
  readonly database: TestDatabase
}

async function withStage({ way, level, set }: { way: Way; level: Level; set: string }, work: (stage: Stage) => Promise<void>): Promise<void> {
  await withDatabase(
    async database => {
      const { host, port } = database.connectionSettings
      const user = `settings_${randomBytes(4).toString('hex')}`
      await database.query(`CREATE ROLE ${user} LOGIN PASSWORD 'secret'`)
      await database.query(`
        CREATE TABLE samples (id serial PRIMARY KEY, text text, at timestamptz, day date, bytes bytea, number float8, list text[], parent int REFERENCES samples);
        CREATE FUNCTION span() RETURNS interval LANGUAGE sql AS $$SELECT '1 day 2 hours 3 minutes'::interval$$;
        CREATE SCHEMA elsewhere; GRANT ALL ON SCHEMA elsewhere TO ${user};
        GRANT ALL ON ALL TABLES IN SCHEMA public TO ${user}; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO ${user}`)
      await database.query(`ALTER ${level} ${level === 'role' ? user : database.name} SET ${set}`)
      const server = { host, port, user, password: 'secret' }
      const ignored = way === 'a pooler that refuses options' ? '' : 'options'
      const pooler = way === 'direct' ? undefined : await startPgBouncer({ server, settings: { ignore_startup_parameters: ignored } })
      const opened: ResilientSequelize[] = []
      const open = () => {
        const sequelize = new ResilientSequelize(database.name, user, 'secret', {
          host,
          port: pooler?.port ?? port,
          logging: false,
          pool: { max: 2 },
        })
        opened.push(sequelize)
        return sequelize
      }
      try {
        await work({ open, database })
      } finally {
        for (const sequelize of opened) await sequelize.gracefulShutdown()
        await pooler?.stop()
        await database.query(`DROP OWNED BY ${user}; DROP ROLE ${user}`)
      }
    },
    { empty: true },
  )
}

const values = {
  text: String.raw`a \ and '' and € and \' end`,
  at: new Date('2026-03-04T05:06:07.089Z'),
  day: '2026-03-04',
  bytes: Buffer.from([0, 255, 92, 39]),
  number: 0.5,
  list: ['a\\b', 'c"d'],
}

function samplesOf(sequelize: ResilientSequelize): ModelStatic<Model> {
  const { TEXT, DATE, DATEONLY, BLOB, DOUBLE, ARRAY } = DataTypes
  return sequelize.define(
    'Sample',
    { text: TEXT, at: DATE, day: DATEONLY, bytes: BLOB, number: DOUBLE, list: ARRAY(TEXT) },
    { tableName: 'samples', timestamps: false },
  )
}

const SPAN = "SELECT interval '1 day 2 hours 3 minutes' AS span"

/** Everything that a first call of an instance can be: each reads an interval. */
const READS: Readonly<Record<string, (sequelize: ResilientSequelize) => Promise<unknown>>> = {
  'a stand-alone read': async sequelize => (await sequelize.query(SPAN))[0],
  'a stand-alone call': async sequelize => (await sequelize.query('SELECT span() AS span'))[0],
  'a unit': sequelize => sequelize.execute('unit', ({ query }) => query(SPAN)),
  'a read': sequelize => sequelize.execute('read', ({ query }) => query(SPAN), { mode: 'read' }),
  'a snapshot': sequelize => sequelize.execute('snapshot', ({ query }) => query(SPAN), { mode: 'read', snapshot: true }),
  'a transaction': sequelize => sequelize.transaction(async transaction => (await sequelize.query(SPAN, { transaction }))[0]),
  'a transaction that sets its level': sequelize =>
    sequelize.transaction({ isolationLevel: 'SERIALIZABLE' as never }, async transaction => (await sequelize.query(SPAN, { transaction }))[0]),
  'a write': async sequelize =>
    (await sequelize.query("INSERT INTO samples (text) VALUES ('x') RETURNING interval '1 day 2 hours 3 minutes' AS span"))[0],
}

/** As `READS`, in forms that a first look at the text may mistake for others. */
const ODD_READS: typeof READS = {
  'a read behind a comment': async sequelize => (await sequelize.query(`/* route='a;b' */ ${SPAN}`))[0],
  'a read behind a line of comment': async sequelize => (await sequelize.query(`-- a\n${SPAN}`))[0],
  'a read in parentheses': async sequelize => (await sequelize.query(`(${SPAN})`))[0],
  'a read with a semicolon in a value': async sequelize => (await sequelize.query(`${SPAN} WHERE ';' <> ''`))[0],
  'a write behind a comment': async sequelize =>
    (await sequelize.query("/* a */ INSERT INTO samples (text) VALUES ('x;y') RETURNING interval '1 day 2 hours 3 minutes' AS span"))[0],
  'a unit that sets a limit first': sequelize =>
    sequelize.execute('unit', async ({ query }) => {
      await query('SET LOCAL statement_timeout = 5000')
      return query(SPAN)
    }),
  'a part of a unit that locks first': sequelize =>
    sequelize.execute('unit', async ({ query }) => {
      await query('LOCK TABLE samples IN ROW EXCLUSIVE MODE')
      const part = () => sequelize.execute('part', work => work.query(SPAN))
      return sequelize.safeExecute(part, { operationName: 'part', fallbackValue: undefined })
    }),
  'a transaction that a raw statement begins': async sequelize => {
    await sequelize.query('BEGIN')
    await sequelize.query('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE')
    const [rows] = await sequelize.query(SPAN)
    await sequelize.query('COMMIT')
    return rows
  },
}

async function keepsValues(sequelize: ResilientSequelize): Promise<void> {
  const samples = samplesOf(sequelize)
  const ids = [
    (await samples.create(values)).get('id'),
    await sequelize.execute('unit', async () => (await samples.create(values)).get('id')),
    await sequelize.transaction(async transaction => (await samples.create(values, { transaction })).get('id')),
    await sequelize.execute(
      'statement',
      async ({ query }) =>
        (
          await query<{ id: number }>(
            'INSERT INTO samples (text, at, day, bytes, number, list) VALUES ($text, $at, $day, $bytes, $number, $list) RETURNING id',
            values,
          )
        )[0]?.id,
    ),
  ] as number[]
  expect(new Set(ids).size).toBe(4)
  for (const id of ids) expect((await samples.findByPk(id))?.get()).toMatchObject(values)
  expect(await samples.count({ where: { at: values.at, day: values.day, text: values.text } })).toBe(4)
  for (const read of Object.values(READS))
    expect(await read(sequelize)).toEqual([{ span: expect.objectContaining({ days: 1, hours: 2, minutes: 3 }) as unknown }])
}

describe.concurrent.each(WAYS)('through %s', way => {
  describe.skipIf(way !== 'direct' && !hasPgBouncer()).each(LEVELS)('a setting of the %s', level => {
    it.each(Object.entries(PINNED))('%s changes no value', async (_name, set) => {
      await withStage({ way, level, set }, async ({ open }) => {
        for (const read of Object.values(READS))
          expect(await read(open())).toEqual([{ span: expect.objectContaining({ days: 1, hours: 2 }) as unknown }])
        await keepsValues(open())
      })
    })

    it.each(Object.entries(KEPT))('%s stays, and changes no value', async (_name, [name, value]) => {
      await withStage({ way, level, set: `${name} TO ${name === 'search_path' ? value : `'${value}'`}` }, async ({ open }) => {
        const sequelize = open()
        await keepsValues(sequelize)
        expect((await sequelize.query(`SELECT current_setting('${name}') AS value`))[0]).toEqual([{ value }])
        await sequelize.transaction(async transaction => {
          expect((await sequelize.query(`SELECT current_setting('${name}') AS value`, { transaction }))[0]).toEqual([{ value }])
        })
      })
    })
  })
})

describe.skipIf(!hasPgBouncer())('behind a pooler', () => {
  it.each(['ISO, MDY', 'ISO, DMY', 'SQL, DMY'])('has it set nothing again for each transaction under %s', async style => {
    await withDatabase(
      async ({ connectionSettings, name, query }) => {
        const { host, port, user, password } = connectionSettings
        await query(`ALTER DATABASE ${name} SET DateStyle TO '${style}'`)
        const proxy = await startProxy({ target: { host, port }, certificates: false })
        const pooler = await startPgBouncer({ server: { host: proxy.host, port: proxy.port, user, password }, settings: { default_pool_size: '1' } })
        const open = () => new ResilientSequelize(name, user, password, { host, port: pooler.port, logging: false, pool: { max: 1 } })
        const instances = [open(), open()]
        const readAll = async () => {
          for (const sequelize of instances)
            expect(await sequelize.query("SELECT '2026-03-04'::date::text AS day", { plain: true })).toEqual({ day: '2026-03-04' })
        }
        try {
          await readAll()
          proxy.resetCounts()
          const before = proxy.statementFlights().length
          await readAll()
          await readAll()
          const flights = proxy.statementFlights().slice(before).flat()
          expect(flights.filter(text => text.startsWith('SET '))).toEqual([])
        } finally {
          for (const sequelize of instances) await sequelize.gracefulShutdown()
          await pooler.stop()
          await proxy.stop()
        }
      },
      { empty: true },
    )
  })

  it.each(Object.entries(ODD_READS))('%s has the interval style that values need', async (_name, read) => {
    await withStage({ way: 'a pooler that refuses options', level: 'database', set: PINNED['interval style ISO 8601'] }, async ({ open }) => {
      expect(await read(open())).toEqual([{ span: expect.objectContaining({ days: 1, hours: 2, minutes: 3 }) as unknown }])
    })
  })
})

it.each([
  ['date style', '-c DateStyle=SQL,DMY', "SELECT '2026-03-04'::date::text AS shown", '04/03/2026'],
  ['interval style', '-c intervalstyle=iso_8601', "SELECT interval '1 day'::text AS shown", 'P1D'],
  ["the option's time zone", '-c TimeZone=Asia/Kolkata', "SELECT current_setting('TimeZone') AS shown", '<+00>-00'],
  ['strings', '-c standard_conforming_strings=off', "SELECT current_setting('standard_conforming_strings') AS shown", 'on'],
])("start-up options of the application's own decide: %s", async (_name, options, text, shown) => {
  await withDatabase(
    async ({ url }) => {
      const sequelize = new ResilientSequelize(url, { logging: false, dialectOptions: { options } })
      try {
        expect(await sequelize.query(text, { plain: true })).toEqual({ shown })
        expect(await sequelize.transaction(transaction => sequelize.query(text, { plain: true, transaction }))).toEqual({ shown })
      } finally {
        await sequelize.gracefulShutdown()
      }
    },
    { empty: true },
  )
})

it('pins everything without a round trip', async () => {
  await withDatabase(
    async ({ connectionSettings, name, query }) => {
      const { host, port, user, password } = connectionSettings
      await query(`CREATE TABLE samples (text text); CREATE FUNCTION span() RETURNS interval LANGUAGE sql AS $$SELECT '1 day'::interval$$`)
      await query(`ALTER DATABASE ${name} SET IntervalStyle TO 'iso_8601'`)
      const proxy = await startProxy({ target: { host, port }, certificates: false })
      const address = { host: proxy.host, port: proxy.port, logging: false, pool: { max: 1 } } as const
      const sequelize = new ResilientSequelize(name, user, password, { ...address, resilience: { pooled: true } })
      try {
        await sequelize.query(SPAN)
        const trips: Record<string, number> = {}
        for (const [read, run] of Object.entries(READS)) {
          proxy.resetCounts()
          await run(sequelize)
          trips[read] = proxy.counts().roundTrips
        }
        expect(trips).toEqual({
          'a stand-alone read': 1,
          'a stand-alone call': 1,
          'a unit': 2,
          'a read': 1,
          'a snapshot': 2,
          'a transaction': 3,
          'a transaction that sets its level': 4,
          'a write': 1,
        })
      } finally {
        await sequelize.gracefulShutdown()
        await proxy.stop()
      }
    },
    { empty: true },
  )
})
