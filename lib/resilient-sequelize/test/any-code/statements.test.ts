import type pg from 'pg'
import { ForeignKeyConstraintError } from 'sequelize'
import { describe, expect, it } from 'vitest'
import type { Work } from '../../src/index.ts'
import { numberPlaceholders } from '../../src/wire/placeholders.ts'
import { withStage } from './stage.ts'

// Statements reach the server as they were written.

const clientOf = ({ transaction }: Work) => (transaction as unknown as { connection: pg.Client }).connection

describe('a text without values', () => {
  it.each([
    ['a DO block', 'DO $$ BEGIN PERFORM 1; END $$', []],
    ['a tagged dollar quote', 'SELECT $body$it costs $1 $$ $name$body$ AS text', [{ text: 'it costs $1 $$ $name' }]],
    ['a name in a string', "SELECT '$name $$' AS text", [{ text: '$name $$' }]],
    ['blanks and a comment', '  -- $name\n SELECT 1 AS one ; ', [{ one: 1 }]],
    ['several statements', 'SELECT 1 AS one; SELECT 2 AS two', [{ one: 1 }, { two: 2 }]],
  ])('reaches the server as it is: %s', async (_which, text, rows) => {
    await withStage(async ({ sequelize }) => {
      expect(await sequelize.execute('text', ({ query }) => query(text))).toEqual(rows)
    })
  })
})

describe('values', () => {
  it.each([
    ["SELECT $a::text || '$a'", "$1::text || '$a'"],
    ['SELECT $a AS "$a"', '$1 AS "$a"'],
    ["SELECT $a, E'\\'$a'", "$1, E'\\'$a'"],
    ['SELECT $a -- $a\n, $b', '$1 -- $a\n, $2'],
    ['SELECT $a /* $b /* $a */ $b */ , $b', '$1 /* $b /* $a */ $b */ , $2'],
    ['SELECT $$ $a $$, $q$ $b $q$, $a', '$$ $a $$, $q$ $b $q$, $1'],
    ['SELECT $b, $a, $b', '$1, $2, $1'],
    ['SELECT col$a, $ab, $a', 'col$a, $2, $1'],
    ["SELECT 'open $a", "'open $a"],
    ['SELECT /* open $a', '/* open $a'],
    ['SELECT $ä, $a', '$1, $2'],
    ['SELECT 1 -- $b\r, $a', '1 -- $b\r, $1'],
    [`SELECT '${'x'.repeat(9_000_000)}$b', $a`, `'${'x'.repeat(9_000_000)}$b', $1`],
  ])('take the places of their names alone in %s', (text, numbered) => {
    const declared = new Set(['a', 'b', 'ab', 'ä'])
    const expected = numbered.replace('col$a, $2, $1', 'col$a, $1, $2')
    // Not by `toBe`, which would print all of a long text.
    expect(numberPlaceholders(text, declared).text === `SELECT ${expected}`).toBe(true)
  })

  it.each([
    ['by name', "SELECT $text::text || '$text' AS t, $$ $text $$ AS q, $n::int AS n", { text: 'x', n: 1 }, [{ t: 'x$text', q: ' $text ', n: 1 }]],
    ['by position', 'SELECT $2::int AS n, $1::text AS t', ['x', 1], [{ t: 'x', n: 1 }]],
    ['by a number for a name', 'SELECT $1::text AS t', { 1: 'x' }, [{ t: 'x' }]],
  ])('arrive %s', async (_how, text, bind, rows) => {
    await withStage(async ({ sequelize }) => {
      expect(await sequelize.execute('bind', ({ query }) => query(text, bind as Record<string, unknown>))).toEqual(rows)
    })
  })

  it.each([
    ['is missing', 'SELECT $other', { text: 1 }],
    ['is undefined', 'SELECT $text', { text: undefined }],
    ['has a number beside names', 'SELECT $1, $other', { other: 1 }],
  ])('are refused by name when one %s', async (_which, text, bind) => {
    await withStage(async ({ sequelize }) => {
      await expect(sequelize.execute('bind', ({ query }) => query(text, bind))).rejects.toThrow(/"\$(?:other|text|1)"/)
    })
  })

  it('of another set of names are not those that the text had before', async () => {
    await withStage(async ({ sequelize }) => {
      const run = (bind: Record<string, unknown>) => sequelize.execute('bind', ({ query }) => query('SELECT $a::text AS a, $b::text AS b', bind))
      await expect(run({ a: 'x' })).rejects.toThrow('"$b"')
      expect(await run({ b: 'y', a: 'x' })).toEqual([{ a: 'x', b: 'y' }])
    })
  })
})

describe('an error at COMMIT has the class of the same error in a statement', () => {
  it('for a foreign key', async () => {
    await withStage(async ({ sequelize }) => {
      const unit = sequelize.execute('late', ({ query }) => query("INSERT INTO notes VALUES ('a', 'missing')"))
      await expect(unit).rejects.toBeInstanceOf(ForeignKeyConstraintError)
      await expect(unit).rejects.toMatchObject({ table: 'notes', index: 'notes_parent_fkey', original: { code: '23503' } })
    })
  })

  it.each([
    [
      'unique',
      'ALTER TABLE notes ADD UNIQUE (parent) DEFERRABLE INITIALLY DEFERRED',
      "VALUES ('a', 'a'), ('b', 'a')",
      'SequelizeUniqueConstraintError',
    ],
    [
      'exclusion',
      'ALTER TABLE notes ADD EXCLUDE USING btree (parent WITH =) DEFERRABLE INITIALLY DEFERRED',
      "VALUES ('a', 'a'), ('b', 'a')",
      'SequelizeExclusionConstraintError',
    ],
  ])('for a constraint that is %s', async (_which, ddl, values, name) => {
    await withStage(async ({ sequelize }) => {
      await sequelize.query(ddl)
      await expect(sequelize.execute('late', ({ query }) => query(`INSERT INTO notes ${values}`))).rejects.toMatchObject({ name })
    })
  })

  it('for what a deferred trigger raises', async () => {
    await withStage(async ({ sequelize }) => {
      await sequelize.query(`CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '23514'; END $$;
        CREATE CONSTRAINT TRIGGER late AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION no()`)
      const unit = sequelize.execute('late', ({ query }) => query("INSERT INTO notes VALUES ('a')"))
      await expect(unit).rejects.toMatchObject({ name: 'SequelizeDatabaseError', original: { code: '23514' } })
    })
  })
})

/** A cursor as add-ons of pg make them: it keeps a portal open and asks for some rows at a time. */
class Cursor {
  readonly rows: unknown[] = []
  readonly text: string
  readonly #size: number
  readonly #done = Promise.withResolvers<unknown[]>()

  constructor(text: string, size: number) {
    this.text = text
    this.#size = size
  }

  get all(): Promise<unknown[]> {
    return this.#done.promise
  }

  submit(wire: CursorWire): void {
    wire.parse({ text: this.text })
    wire.bind({})
    this.#ask(wire)
  }

  handleDataRow({ fields }: { fields: unknown[] }): void {
    this.rows.push(fields[0])
  }

  handlePortalSuspended(wire: CursorWire): void {
    this.#ask(wire)
  }

  handleCommandComplete(_message: unknown, wire: CursorWire): void {
    wire.sync()
  }

  handleReadyForQuery(): void {
    this.#done.resolve(this.rows)
  }

  handleError(error: unknown, wire: CursorWire | undefined): void {
    this.#done.reject(error)
    wire?.sync()
  }

  handleRowDescription(): void {}

  #ask(wire: CursorWire): void {
    wire.execute({ portal: '', rows: this.#size })
    wire.flush()
  }
}

interface CursorWire {
  parse(message: object): void
  bind(message: object): void
  execute(message: object): void
  flush(): void
  sync(): void
}

const cursor = (work: Work, text: string) => (clientOf(work).query(new Cursor(text, 10) as unknown as pg.Query) as unknown as Cursor).all

describe("on the work's connection", () => {
  const NUMBERS = 'SELECT generate_series(1, 35)'

  it('a cursor reads what the unit wrote', async () => {
    await withStage(async ({ sequelize, texts }) => {
      const rows = await sequelize.execute('cursor', async work => {
        await work.query("INSERT INTO notes SELECT 'n' || generate_series(10, 40)")
        const read = await cursor(work, 'SELECT text FROM notes ORDER BY text')
        await work.query("INSERT INTO notes VALUES ('z')")
        return read
      })
      expect(rows).toHaveLength(31)
      expect(await texts()).toHaveLength(32)
    })
  })

  it.each([
    ['comes first', (work: Work) => cursor(work, NUMBERS)],
    ['comes behind a statement that is not waited for', (work: Work) => (work.query('SELECT 1').catch(() => undefined), cursor(work, NUMBERS))],
    ['is followed at once by a statement', async (work: Work) => (await Promise.all([cursor(work, NUMBERS), work.query('SELECT 1')]))[0]],
  ])('a cursor works that %s', async (_which, run) => {
    await withStage(async ({ sequelize }) => {
      for (const mode of ['write', 'read'] as const) expect(await sequelize.execute('cursor', run, { mode })).toHaveLength(35)
      expect(await sequelize.execute('next', ({ query }) => query('SELECT 1 AS one'))).toEqual([{ one: 1 }])
    })
  })

  it.each(['write', 'read', 'snapshot'] as const)('a cursor that stays open fails a unit that is to %s, at once', async kind => {
    await withStage(
      async ({ sequelize, texts }) => {
        let tries = 0
        const options = kind === 'write' ? {} : ({ mode: 'read', snapshot: kind === 'snapshot' } as const)
        const unit = sequelize.execute(
          'open',
          async work => {
            tries += 1
            if (kind === 'write') await work.query("INSERT INTO notes VALUES ('a')")
            const open = new Cursor(NUMBERS, 10)
            open.all.catch(() => undefined)
            open.handlePortalSuspended = () => undefined
            clientOf(work).query(open as unknown as pg.Query)
            await expect.poll(() => open.rows.length).toBe(10)
          },
          options,
        )
        const told = await unit.then(
          () => 'done',
          (error: unknown) => (error as { code?: unknown }).code,
        )
        expect({ told, tries, texts: await texts() }).toEqual({ told: kind === 'read' ? 'done' : 'nested-operation', tries: 1, texts: [] })
        expect(await sequelize.execute('next', ({ query }) => query('SELECT 1 AS one'))).toEqual([{ one: 1 }])
      },
      { pool: { max: 1 } },
    )
  })

  it('an error of a cursor counts as the unit’s own', async () => {
    await withStage(async ({ sequelize }) => {
      await sequelize.query('CREATE SEQUENCE tries')
      await sequelize.query(`CREATE FUNCTION fail_once() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('tries') = 1 THEN RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END IF; RETURN 1; END $$`)
      let tries = 0
      expect(await sequelize.execute('cursor', work => ((tries += 1), cursor(work, 'SELECT fail_once()')))).toHaveLength(1)
      expect(tries).toBe(2)
    })
  })

  it.each<[string, pg.QueryConfig | object, unknown]>([
    ['rowMode', { text: 'SELECT 1 AS a, 2 AS a', rowMode: 'array' }, [[1, 2]]],
    ['types', { text: 'SELECT 1 AS a', types: { getTypeParser: () => (text: string) => `parsed ${text}` } }, [{ a: 'parsed 1' }]],
    [
      'types and values',
      { text: 'SELECT $1::int AS a', values: [1], types: { getTypeParser: () => (text: string) => `parsed ${text}` } },
      [{ a: 'parsed 1' }],
    ],
    ['rows', { text: NUMBERS, rows: 10 }, Array.from({ length: 35 }, (_, index) => ({ generate_series: index + 1 }))],
    ['a name', { name: 'one', text: 'SELECT $1::int AS a', values: [1], rowMode: 'array' }, [[1]]],
  ])('%s of pg’s query is kept', async (_which, config, rows) => {
    await withStage(async ({ sequelize }) => {
      for (const mode of ['write', 'read'] as const) {
        const result = await sequelize.execute('options', work => clientOf(work).query(config as pg.QueryConfig), { mode })
        expect(result.rows).toEqual(rows)
      }
    })
  })
})
